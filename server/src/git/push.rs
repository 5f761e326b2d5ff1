//! Pushes: the commands are read here, the pack is passed on as it comes, and the outcome is told
//! in git's own report.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncRead};

use super::body::{self, Bounds, Reader};
use super::refusal::Refusal;
use super::report::{self, Wishes};
use super::{Door, access, expect, fresh, named, pkt};
use crate::model::access::{Caller, Role};
use crate::model::id::SourceRepoId;
use crate::model::push::{Outcomes, RefUpdate, Target, UPDATES_MAX};
use crate::service::Error;
use crate::service::source_git::{self, Push, Pushed};

const SERVICE: &[u8] = b"# service=git-receive-pack\n";
/// What a client may ask for.
const CAPABILITIES: &str = concat!(
    "report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 agent=repoplane/",
    env!("CARGO_PKG_VERSION")
);
/// Most bytes of the commands that stand before the pack.
const COMMANDS_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// A frame with nothing in it.
const SIGN_OF_LIFE: &[u8] = b"0005\x01";
/// Type of every answer to a push.
const RESULT: &str = "application/x-git-receive-pack-result";
/// Stands for a ref that points nowhere.
const NOWHERE: &str = "0000000000000000000000000000000000000000";
/// Frames before the pack that are not commands: a client without all of the history says where its own ends.
const SHALLOW_MAX: usize = 20_000;

pub async fn advertise(
    door: &Door,
    repo: SourceRepoId,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let caller = access::caller(door, headers).await?;
    let refs = source_git::refs(&door.services, &caller, repo).await?;
    let mut body = Vec::new();
    pkt::write(&mut body, SERVICE);
    body.extend_from_slice(pkt::FLUSH);
    let mut capabilities = format!("\0{CAPABILITIES}");
    for (name, target) in refs {
        pkt::write(&mut body, format!("{target} {name}{capabilities}\n").as_bytes());
        capabilities.clear();
    }
    if !capabilities.is_empty() {
        pkt::write(&mut body, format!("{NOWHERE} capabilities^{{}}{capabilities}\n").as_bytes());
    }
    body.extend_from_slice(pkt::FLUSH);
    Ok(fresh("application/x-git-receive-pack-advertisement", body))
}

pub async fn push(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answered = answer(&door, &name, &headers, body);
    let answered = tokio::time::timeout(door.limits.total, answered).await;
    answered.unwrap_or_else(|_| Err(Refusal::busy())).unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    door: &Arc<Door>,
    name: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let repo = named(name)?;
    let caller = access::caller(door, headers).await?;
    source_git::check(&door.services, &caller, repo, Role::Write).await?;
    expect(headers, "application/x-git-receive-pack-request")?;
    let slot = door.slot().await?;
    let bytes_max = u64::from(door.limits.push_mib) * 1024 * 1024;
    let bounds = Bounds { bytes_max: bytes_max + COMMANDS_BYTES_MAX, idle: door.limits.idle };
    let (mut body, ended) = body::reader(body, headers, bounds)?;
    let asked = commands(&mut body).await.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
            Refusal::bad("The body is not what git sends for a push.")
        }
        ErrorKind::QuotaExceeded => {
            let message =
                format!("A push changes at most {UPDATES_MAX} refs. Push some, then others.");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        _ => body::refuse(&error, bounds),
    })?;
    let Some(asked) = asked else {
        // What git sends first to learn whether it may send more.
        return Ok(fresh(RESULT, Vec::new()));
    };
    let (limit, keep_alive) = (door.limits.total, door.limits.keep_alive);
    let (door, commands) = (door.clone(), asked.clone());
    let decided = async move {
        let _slot = slot;
        let decided = decide(&door, &caller, repo, asked, &mut body, (bounds, bytes_max));
        tokio::time::timeout(limit, decided).await.unwrap_or_else(|_| Err(Refusal::busy()))
    };
    let mut decided = Box::pin(decided);
    loop {
        match tokio::time::timeout(keep_alive, &mut decided).await {
            Ok(report) => return Ok(fresh(RESULT, report?)),
            // No client listens before it has said all.
            Err(_) if commands.wishes.bands && ended.has() => break,
            Err(_) => {}
        }
    }
    let report = async move {
        decided.await.unwrap_or_else(|refusal| {
            let (names, failed) = commands.failed();
            report::write(&commands.wishes, Err(refusal.message), &names, &failed)
        })
    };
    Ok(fresh(RESULT, patient(report, keep_alive)))
}

/// Does what is asked for, and says in git's own words what came of it.
async fn decide(
    door: &Door,
    caller: &Caller,
    repo: SourceRepoId,
    commands: Commands,
    body: &mut Reader,
    (bounds, bytes_max): (Bounds, u64),
) -> Result<Vec<u8>, Refusal> {
    let (names, failed) = commands.failed();
    let Commands { updates, wishes } = commands;
    let pack = updates.iter().any(|update| update.new.is_some()).then_some(&mut *body);
    let push = Push { updates, atomic: wishes.atomic, pack, bytes_max };
    let pushed = source_git::push(&door.services, caller, repo, push).await;
    let (unpacked, outcomes) = match pushed {
        Ok(Pushed::Decided(outcomes)) => (Ok(()), outcomes),
        Ok(Pushed::Refused(reason)) => (Err(reason), failed),
        Ok(Pushed::Broken(error)) => return Err(body::refuse(&error, bounds)),
        // Told in git's words, so that it says of which ref it is.
        Err(error @ (Error::Locked(_) | Error::Unavailable(_) | Error::Invalid { .. })) => {
            (Ok(()), names.iter().map(|_| Err(error.to_string())).collect())
        }
        Err(error) => return Err(error.into()),
    };
    drain(body).await.map_err(|error| body::refuse(&error, bounds))?;
    Ok(report::write(&wishes, unpacked, &names, &outcomes))
}

/// A report that takes its time, with a sign of life now and then: proxies and clients give up on who
/// says nothing.
fn patient(report: impl Future<Output = Vec<u8>> + Send + 'static, every: Duration) -> Body {
    let pieces = futures::stream::unfold(Some(Box::pin(report)), move |report| async move {
        let mut report = report?;
        let piece = match tokio::time::timeout(every, &mut report).await {
            Ok(report) => return Some((Ok::<_, Infallible>(Bytes::from(report)), None)),
            Err(_) => Bytes::from_static(SIGN_OF_LIFE),
        };
        Some((Ok(piece), Some(report)))
    });
    Body::from_stream(pieces)
}

/// Reads what is left: a client does not listen before it has said all.
async fn drain(body: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
    tokio::io::copy_buf(body, &mut tokio::io::sink()).await.map(drop)
}

#[derive(Clone)]
struct Commands {
    updates: Vec<RefUpdate>,
    wishes: Wishes,
}

impl Commands {
    /// The refs, and what is said of each when nothing came of the pack.
    fn failed(&self) -> (Vec<String>, Outcomes) {
        let names: Vec<String> = self.updates.iter().map(|update| update.name.clone()).collect();
        let failed = names.iter().map(|_| Err("unpacker error".to_owned())).collect();
        (names, failed)
    }
}

/// Reads up to the pack; nothing if there are no commands. Fails with [`ErrorKind::InvalidInput`] for
/// what is none, and [`ErrorKind::QuotaExceeded`] for too many.
async fn commands(source: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Commands>> {
    let mut updates = Vec::new();
    let mut wishes = None;
    let mut shallow = 0;
    while let Some(line) = pkt::read(source).await? {
        if updates.is_empty() && line.starts_with(b"shallow ") && shallow < SHALLOW_MAX {
            shallow += 1;
            continue;
        }
        let mut parts = line.splitn(2, |byte| *byte == 0);
        let command = parts.next().unwrap_or_default();
        let words = parts.next().unwrap_or_default();
        wishes.get_or_insert_with(|| Wishes::read(words));
        updates.push(command_of(command).ok_or(ErrorKind::InvalidInput)?);
        if updates.len() > UPDATES_MAX {
            return Err(ErrorKind::QuotaExceeded.into());
        }
    }
    Ok(wishes.map(|wishes| Commands { updates, wishes }))
}

/// `OLD NEW NAME`, with or without a line feed.
fn command_of(line: &[u8]) -> Option<RefUpdate> {
    let line = str::from_utf8(line).ok()?;
    let line = line.strip_suffix('\n').unwrap_or(line);
    let (old, rest) = line.split_once(' ')?;
    let (new, name) = rest.split_once(' ')?;
    let target = |text: &str| -> Option<Option<Target>> {
        if text == NOWHERE { Some(None) } else { text.parse().ok().map(Some) }
    };
    Some(RefUpdate { name: name.to_owned(), old: target(old)?, new: target(new)? })
}

#[cfg(test)]
mod tests;

//! The other side of a fetch: where it is, whether it answers, and the command that is to talk to
//! it. A password goes by the environment, which only this user can read, and nowhere else.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command as Plain;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use url::{Host, Url};

use super::{FetchError, TIP};
use crate::backend::egress::{Checked, Egress, EgressError};
use crate::backend::git::program::git;
use crate::backend::git::receive::{ALLOCATION_MAX, BIG_FILE};
use crate::model::git_source::{History, Start, Wanted};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Fewer bytes than this in a second count as none.
const SLOW_BYTES: u32 = 1;
/// Stands for all there is.
const DEPTH_ALL: u32 = 0x7fff_ffff;

/// What git may do on somebody else's word, and what it may not.
const SETTINGS: [&str; 13] = [
    BIG_FILE,
    "protocol.allow=never",
    "protocol.https.allow=always",
    "http.followRedirects=false",
    "http.proxy=",
    "credential.helper=",
    "core.askPass=",
    "fetch.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "transfer.bundleURI=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// A repository elsewhere.
#[derive(Clone, Debug)]
pub struct Remote {
    pub url: String,
    pub login: Option<Login>,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub password: SecretString,
}

/// As the egress guard has it; in a form that git and the guard cannot read differently.
pub async fn check(egress: &Egress, text: &str) -> Result<Checked, EgressError> {
    let mut url = egress.check_url(text)?;
    url.set_fragment(None);
    // With a dot at its end, a name is the same name and would not be found pinned.
    if let Some(Host::Domain(name)) = url.host()
        && let Some(name) = name.strip_suffix('.')
    {
        let name = name.to_owned();
        url.set_host(Some(&name)).map_err(|error| EgressError::Malformed(error.to_string()))?;
    }
    egress.check(url.as_str()).await
}

/// The first address that somebody listens at.
pub async fn reach(checked: &Checked) -> Result<SocketAddr, FetchError> {
    for address in checked.addresses.iter().take(ADDRESSES_MAX) {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        if let Ok(Ok(_)) = connected {
            return Ok(*address);
        }
    }
    let host = checked.url.host_str().unwrap_or_default();
    Err(FetchError::Failed(format!("Nobody answers at {host}. Check the URL, or try again later.")))
}

/// A command that is still to be started.
pub struct Git(Plain);

/// Fetches one commit, with what the wish says of its past, to [`TIP`].
pub fn fetch(
    folder: &Path,
    checked: &Checked,
    address: SocketAddr,
    wanted: &Wanted,
    idle: Duration,
    login: Option<&Login>,
) -> Git {
    let mut git = git();
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    if checked.url.scheme() == "http" {
        git.args(["-c", "protocol.http.allow=always"]);
    }
    if let Some(pin) = pin(&checked.url, address) {
        git.args(["-c", &pin]);
    }
    git.args(["-c", &format!("http.lowSpeedLimit={SLOW_BYTES}")]);
    git.args(["-c", &format!("http.lowSpeedTime={}", idle.as_secs().max(1))]);
    git.args(["fetch", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]);
    git.args(["--progress", "--no-auto-maintenance"]);
    match wanted.history {
        // Without any depth, git would also talk to servers that it cannot check strictly.
        History::Whole => git.arg(format!("--depth={DEPTH_ALL}")),
        History::Last(depth) => git.arg(format!("--depth={depth}")),
        History::Missing => &mut git,
    };
    let from = match &wanted.start {
        Start::Default => "HEAD".to_owned(),
        Start::Branch(name) => name.full(),
        Start::Commit(id) => id.to_string(),
    };
    git.args(["--", checked.url.as_str(), &format!("+{from}:{TIP}")]);
    git.envs([("GIT_DIR", "."), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_ALLOC_LIMIT", ALLOCATION_MAX)]);
    if let Some(login) = login {
        git.envs([
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "http.extraHeader"),
            ("GIT_CONFIG_VALUE_0", &header(login)),
        ]);
    }
    git.current_dir(folder);
    Git(git)
}

/// Lets the name lead to the checked address, whatever a resolver says by now.
fn pin(url: &Url, address: SocketAddr) -> Option<String> {
    let Some(Host::Domain(name)) = url.host() else { return None };
    let ip = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    Some(format!("http.curloptResolve={name}:{}:{ip}", address.port()))
}

fn header(login: &Login) -> String {
    let pair = format!("{}:{}", login.username, login.password.expose_secret());
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(pair))
}

impl Git {
    pub fn spawn_child(self) -> io::Result<Child> {
        // With those that it starts in a group, to end them all.
        Command::from(self.0).process_group(0).kill_on_drop(true).spawn()
    }
}

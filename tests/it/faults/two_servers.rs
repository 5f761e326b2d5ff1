//! Two servers on one database write to one storage repo at the same time, while a bucket comes and
//! goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use repoplane::model::access::Role;
use repoplane::model::object::Attributes;
use repoplane::service::Services;
use repoplane::service::objects::reading::{self, Wanted};
use repoplane::service::objects::writing::{self, NewObject};
use repoplane::service::objects::{Conditions, Matching, ObjectError, Promised, Session};

use super::stage::Broken;
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

const CLIENTS: usize = 4;
const KEYS: [&str; 2] = ["a", "b"];
/// Times that each client counts on.
const COUNTS: usize = 15;

struct Client<'a> {
    services: &'a Arc<Services>,
    access_key: &'a str,
}

impl Client<'_> {
    /// A number, and the ETag that it has.
    async fn read(&self, key: &str) -> Result<(u64, String), ObjectError> {
        let (session, space) = self.open().await;
        let reading = reading::get(self.services, &session, &space, key, Wanted::default()).await?;
        let etag = reading.object.etag.clone();
        let text = reading.body.try_collect::<Vec<_>>().await?.concat();
        Ok((String::from_utf8(text).expect("text").trim().parse().expect("a number"), etag))
    }

    async fn write(&self, key: &str, number: u64, on: Matching) -> Result<(), ObjectError> {
        let (session, space) = self.open().await;
        // Long enough not to be in one piece with its headers.
        let content = Bytes::from(format!("{number:5000}"));
        let new = NewObject {
            key: key.to_owned(),
            length: content.len() as u64,
            attributes: Attributes::default(),
            tags: vec![],
            conditions: Conditions { if_match: Some(on), ..Conditions::default() },
            promised: Promised::default(),
        };
        let content = futures::stream::iter([Ok(content)]).boxed();
        writing::put(self.services, &session, &space, new, content).await.map(drop)
    }

    async fn open(&self) -> (Session, Arc<repoplane::service::objects::Space>) {
        let session = Session::open(self.services, self.access_key).await.expect("a session");
        let session = session.expect("a key that is known");
        let space = session.space("bucket-0", Role::Read).expect("a space");
        (session, space)
    }

    /// Counts a key on; how often that was acknowledged, and how often it may have happened all the
    /// same.
    async fn count(&self, key: &str) -> (u64, u64) {
        let Ok((number, etag)) = self.read(key).await else { return (0, 0) };
        match self.write(key, number + 1, Matching::Etags(vec![etag])).await {
            Ok(()) => (1, 0),
            Err(ObjectError::PreconditionFailed(_)) => (0, 0),
            Err(_) => (0, 1),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_between_two_servers() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let second = server.second().await;
    for key in KEYS {
        broken.put(key, format!("{:5000}", 0).as_bytes()).await.expect("a write");
    }
    let access_key = broken.stage.access_key.as_str();
    let both = [server.services(), second.services()];
    let client = async |number: usize| {
        let mut counted: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for turn in 0..COUNTS {
            let services = both[(number + turn) % 2];
            let key = KEYS[turn % KEYS.len()];
            if turn == COUNTS / 2 {
                clouds[number % 2].fail_times(2, On::Put, Fault::Refuses);
            }
            let client = Client { services, access_key };
            let counted = counted.entry(key).or_default();
            loop {
                let (sure, unsure) = client.count(key).await;
                *counted = (counted.0 + sure, counted.1 + unsure);
                if sure == 1 {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        counted
    };
    let counted = join_all((0..CLIENTS).map(client)).await;
    broken.mend().await;
    for key in KEYS {
        let counted = || counted.iter().filter_map(|counted| counted.get(key));
        let sure: u64 = counted().map(|(sure, _)| sure).sum();
        let unsure: u64 = counted().map(|(_, unsure)| unsure).sum();
        for services in both {
            let read = Client { services, access_key }.read(key).await.expect("a number");
            assert!((sure..=sure + unsure).contains(&read.0), "{key}: {read:?} {sure} {unsure}");
        }
        let held: Vec<_> = clouds.iter().map(|cloud| cloud.get(key)).collect();
        assert!(held[0].is_some() && held[0] == held[1], "{key} differs");
    }
    second.stop().await;
    server.stop().await;
}

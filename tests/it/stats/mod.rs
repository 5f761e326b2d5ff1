//! Metering and statistics: what the meter is told comes back in every answer, to the byte.

mod breakdown;
mod meter;
mod model;
mod nodes;
mod roles;
mod rows;
mod series;
mod totals;

use std::time::Duration;

use repoplane::model::time::Timestamp;
use repoplane::model::usage::{Counted, Metered};
use repoplane::service::meter::Meter;
use repoplane_client::types;
use serde_json::json;
use uuid::Uuid;

use crate::storage::stage::{User, link};
use crate::support::Server;

/// What every test server is called in statistics.
const HOST: &str = "127.0.0.1";
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A MIRROR repo with two buckets and an access key, and a NORMAL repo with another bucket.
struct Stage {
    server: Server,
    owner: User,
    mirror: Uuid,
    normal: Uuid,
    a: Uuid,
    b: Uuid,
    c: Uuid,
    key: Uuid,
}

impl Stage {
    async fn start() -> Self {
        let server = Server::start().await;
        let owner = User::owner(&server);
        let (a, b, c) = (owner.bucket("a").await, owner.bucket("b").await, owner.bucket("c").await);
        let links = json!([link(a, "", true), link(b, "", false)]);
        let mirror = owner.repo("mirror", "MIRROR", links).await;
        let normal = owner.repo("normal", "NORMAL", json!([link(c, "", false)])).await;
        let key = owner.access_key(mirror, "WRITE").await.expect("an access key");
        Self { server, owner, mirror, normal, a, b, c, key }
    }

    fn meter(&self) -> &Meter {
        &self.server.services().meter
    }

    /// Another server's meter on the same database.
    fn other_meter(&self, node: &str) -> Meter {
        Meter::new(self.server.services().store.clone(), node.to_owned())
    }

    async fn repo_totals(&self, only: Option<&[Uuid]>) -> Vec<(Uuid, [String; 3])> {
        let mut request = self.owner.client.get_repo_stats();
        if let Some(only) = only {
            request = request.repo_id(list(only));
        }
        let found = request.send().await.expect("totals").into_inner();
        let total = |stats: types::RepoStats| {
            let types::RepoStats {
                repo_id,
                total_upload_bytes,
                total_download_bytes,
                total_size_change,
            } = stats;
            (repo_id, [total_upload_bytes, total_download_bytes, total_size_change])
        };
        found.stats.into_iter().map(total).collect()
    }

    async fn bucket_totals(&self, only: Option<&[Uuid]>) -> Vec<(Uuid, [String; 4])> {
        let mut request = self.owner.client.get_bucket_stats();
        if let Some(only) = only {
            request = request.bucket_id(list(only));
        }
        let found = request.send().await.expect("totals").into_inner();
        let total = |stats: types::BucketStats| {
            assert_eq!(stats.bucket_id, stats.unit_id);
            let bytes = (stats.total_upload_bytes, stats.total_download_bytes);
            (stats.bucket_id, [stats.total_count, bytes.0, bytes.1, stats.total_size_change])
        };
        found.stats.into_iter().map(total).collect()
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

/// What a client moves through a storage repo, with a key or without.
fn by_client(repo: Uuid, key: Option<Uuid>) -> Metered {
    Metered { repo: repo.into(), bucket: None, key: key.map(Into::into) }
}

/// What moves between the server and a bucket.
fn at_bucket(repo: Uuid, bucket: Uuid) -> Metered {
    Metered { repo: repo.into(), bucket: Some(bucket.into()), key: None }
}

/// One request.
fn moved(up: u64, down: u64, size_change: i64, millis: u64) -> Counted {
    let latency = Duration::from_millis(millis);
    Counted { up, down, size_change, requests: 1, failures: 0, latency }
}

fn list(ids: &[Uuid]) -> types::IdList {
    let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    ids.join(",").parse().expect("a list of ids")
}

/// So many decimal numbers.
fn decimal<const N: usize>(numbers: [i64; N]) -> [String; N] {
    numbers.map(|number| number.to_string())
}

/// An instant as a query has it.
fn instant(at: Timestamp) -> String {
    chrono::DateTime::from(at).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

//! The rules, one file per noun. Every function that acts for somebody takes the `Caller`
//! and checks access first. Nothing in here knows HTTP.

pub mod access;
pub mod access_keys;
pub mod ai_keys;
pub mod ai_llms;
pub mod audit;
pub mod bucket_reach;
pub mod bucket_watch;
pub mod buckets;
pub mod edits;
pub mod error;
pub mod gateway_client;
pub mod jobs;
pub mod meter;
pub mod mirrors;
pub mod objects;
pub mod operator;
pub mod packs;
pub mod rates;
pub mod repo_tokens;
pub mod source_archive;
pub mod source_branches;
pub mod source_create;
pub mod source_fetch;
pub mod source_git;
pub mod source_grep;
pub mod source_history;
pub mod source_imports;
pub mod source_index;
pub mod source_ranking;
pub mod source_reading;
pub mod source_repos;
pub mod stats;
pub mod stats_series;
pub mod stats_sights;
pub mod storage_holders;
pub mod storage_jobs;
pub mod storage_links;
pub mod storage_repos;
pub mod text;
pub mod tokens;
pub mod upkeep;
pub mod users;
pub mod webhooks;
pub mod workspaces;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::backend::buckets::Buckets;
use crate::backend::git::fetch::Fetcher;
use crate::backend::objects::Objects;
use crate::backend::vault::Vault;
use crate::backend::webhooks::Posts;
use crate::store::Store;

/// Doors render it; only the rules seal and open.
pub use crate::backend::vault::Receipt;
pub use error::{Error, Result};

/// What the rules work with.
pub struct Services {
    pub store: Store,
    pub vault: Vault,
    pub objects: Objects,
    pub buckets: Buckets,
    pub editors: edits::Editors,
    pub fetcher: Fetcher,
    pub imports: source_imports::Imports,
    pub searches: source_grep::Searches,
    pub archives: source_archive::Archives,
    pub plane: objects::Plane,
    pub meter: meter::Meter,
    pub rates: rates::Rates,
    pub posts: Posts,
    pub followers: Arc<storage_jobs::Followers>,
    pub quota: Quota,
    pub node: Node,
    pub stopping: AtomicBool,
}

/// How many of each an organisation may have.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    pub buckets: i64,
    pub storage_repos: i64,
}

/// This server, as clients see it.
#[derive(Clone, Debug)]
pub struct Node {
    pub ip: IpAddr,
    pub region: String,
}

impl Node {
    /// What the node is called in statistics.
    pub fn name(&self) -> String {
        self.ip.to_string()
    }
}

/// What the server needs in order to serve, and whether it has it.
#[derive(Clone, Copy, Debug)]
pub struct Readiness {
    pub database: bool,
    pub storage: bool,
    pub stopping: bool,
}

impl Services {
    /// Whether the server finishes what is under way and takes nothing new.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub async fn readiness(&self) -> Readiness {
        let passed = |check: &str, failure: Option<String>| {
            if let Some(error) = &failure {
                tracing::warn!(check, error, "readiness check failed");
            }
            failure.is_none()
        };
        Readiness {
            database: passed("database", self.store.ping().await.err().map(|e| e.to_string())),
            storage: passed("storage", self.objects.check().await.err().map(|e| e.to_string())),
            stopping: self.is_stopping(),
        }
    }
}

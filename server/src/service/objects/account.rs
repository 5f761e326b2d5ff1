//! Whose traffic it is that goes through the data plane, and how it is counted: once for the client,
//! and once for each bucket it goes to or comes from.

use std::time::Instant;

use bytes::Bytes;
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::Session;
use super::layout::Space;
use crate::backend::buckets::Content;
use crate::model::id::{AccessKeyId, BucketId, StorageRepoId};
use crate::model::usage::{Counted, Metered};
use crate::service::Services;
use crate::service::meter::Meter;

#[derive(Clone)]
pub struct Account {
    meter: Meter,
    repo: StorageRepoId,
    key: Option<AccessKeyId>,
}

impl Account {
    pub fn of(services: &Services, session: &Session) -> Self {
        let caller = session.caller;
        Self { meter: services.meter.clone(), repo: caller.repo, key: Some(caller.key) }
    }

    /// Of what the server does of its own accord.
    pub fn own(services: &Services, space: &Space) -> Self {
        Self { meter: services.meter.clone(), repo: space.repo, key: None }
    }

    pub fn client(&self, counted: Counted) {
        self.meter.count(&Metered { repo: self.repo, bucket: None, key: self.key }, counted);
    }

    /// The content that a client sends, counted as it comes.
    pub fn sent(&self, content: Content) -> Content {
        let account = self.clone();
        let count = move |piece: &Bytes| {
            account.client(Counted { up: piece.len() as u64, ..Counted::default() });
        };
        content.inspect_ok(count).boxed()
    }

    pub fn bucket(&self, bucket: BucketId, counted: Counted) {
        let bucket = Some(bucket);
        self.meter.count(&Metered { repo: self.repo, bucket, key: self.key }, counted);
    }

    /// Counts a client's request that has ended so, and hands its end on.
    pub fn request<T, E>(
        &self,
        begun: Instant,
        done: Result<T, E>,
        counted: Counted,
    ) -> Result<T, E> {
        self.client(ended(begun, &done, counted));
        done
    }

    /// Counts an exchange with a bucket.
    pub fn exchange<T, E>(
        &self,
        bucket: BucketId,
        begun: Instant,
        done: &Result<T, E>,
        counted: Counted,
    ) {
        self.bucket(bucket, ended(begun, done, counted));
    }
}

fn ended<T, E>(begun: Instant, done: &Result<T, E>, counted: Counted) -> Counted {
    Counted { requests: 1, failures: u64::from(done.is_err()), latency: begun.elapsed(), ..counted }
}

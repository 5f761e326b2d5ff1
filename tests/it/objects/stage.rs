//! A storage repo with objects in it, and short words for what is done with them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use repoplane::backend::buckets::Content;
use repoplane::model::access::Role;
use repoplane::model::object::{Attributes, Object};
use repoplane::service::Services;
use repoplane::service::objects::listing::{ListRequest, Listing};
use repoplane::service::objects::reading::Wanted;
use repoplane::service::objects::writing::NewObject;
use repoplane::service::objects::{
    Conditions, ObjectError, Promised, Session, Space, deleting, listing, reading, writing,
};
use repoplane_client::types;
use serde_json::json;
use uuid::Uuid;

use crate::storage::stage::{User, typed};
use crate::support::Server;

/// How long the worker may take for what it has been asked to do.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Stage<'s> {
    pub server: &'s Server,
    pub user: User,
    pub repo: Uuid,
    pub buckets: Vec<Uuid>,
    pub access_key: String,
}

impl<'s> Stage<'s> {
    /// A repo whose buckets, of which the first is the primary, are on the local disk.
    pub async fn on_disk(server: &'s Server, mode: &str, buckets: usize) -> Self {
        let user = User::owner(server);
        let mut ids = vec![];
        for number in 0..buckets {
            ids.push(user.bucket(&format!("bucket-{number}")).await);
        }
        Self::over(server, user, mode, ids).await
    }

    pub async fn over(server: &'s Server, user: User, mode: &str, buckets: Vec<Uuid>) -> Self {
        let link = |(place, id): (usize, &Uuid)| json!({ "bucketId": id, "folder": "", "master": mode != "NORMAL" && place == 0 });
        let links: Vec<_> = buckets.iter().enumerate().map(link).collect();
        let repo = user.repo("objects", mode, links.into()).await;
        let body: types::CreateAccessKeyRequest =
            typed(json!({ "name": "key", "accessType": "ADMIN" }));
        let made = user.client.create_access_key().repo_id(repo).body(body).send().await;
        let access_key = made.expect("an access key").key.clone();
        Self { server, user, repo, buckets, access_key }
    }

    pub fn services(&self) -> &'s Arc<Services> {
        self.server.services()
    }

    pub async fn session(&self) -> Session {
        let session = Session::open(self.services(), &self.access_key).await;
        session.expect("an open session").expect("a key that is known")
    }

    /// What the first bucket's name stands for.
    pub async fn space(&self) -> (Session, Arc<Space>) {
        let session = self.session().await;
        let space = session.space("bucket-0", Role::Read).expect("a space");
        (session, space)
    }

    pub async fn put(&self, key: &str, content: &[u8]) -> Result<Object, ObjectError> {
        let pieces: Vec<_> =
            content.chunks(64 * 1024).map(Bytes::copy_from_slice).map(Ok).collect();
        self.put_of(key, content.len() as u64, futures::stream::iter(pieces).boxed()).await
    }

    pub async fn put_of(
        &self,
        key: &str,
        length: u64,
        content: Content,
    ) -> Result<Object, ObjectError> {
        let (session, space) = self.space().await;
        let new = NewObject {
            key: key.to_owned(),
            length,
            attributes: Attributes::default(),
            tags: vec![],
            conditions: Conditions::default(),
            promised: Promised::default(),
        };
        writing::put(self.services(), &session, &space, new, content).await
    }

    pub async fn get(&self, key: &str) -> Result<Vec<u8>, ObjectError> {
        let (session, space) = self.space().await;
        let wanted = Wanted::default();
        let reading = reading::get(self.services(), &session, &space, key, wanted).await?;
        Ok(reading.body.try_collect::<Vec<_>>().await?.concat())
    }

    pub async fn delete(&self, key: &str) -> Result<Option<Object>, ObjectError> {
        let (session, space) = self.space().await;
        deleting::delete(self.services(), &session, &space, key, &Conditions::default()).await
    }

    pub async fn list(&self, request: &ListRequest) -> Result<Listing, ObjectError> {
        let (session, space) = self.space().await;
        listing::list(self.services(), &session, &space, request).await
    }

    pub async fn keys(&self) -> Vec<String> {
        let request = ListRequest { limit: 1_000, ..ListRequest::default() };
        let listing = self.list(&request).await.expect("a list");
        listing.objects.into_iter().map(|object| object.key).collect()
    }

    /// Waits until no bucket owes anything.
    pub async fn until_alike(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (_, space) = self.space().await;
            let mut owed = 0;
            for member in &space.members {
                let store = self.services().store.read();
                let now = repoplane::model::time::Timestamp::now();
                let bucket = member.bucket.id;
                let found = repoplane::store::debts::owed(store, space.id, bucket, now).await;
                owed += found.expect("debts").debts;
            }
            let surveyed = space.members.iter().all(|member| member.surveyed_at.is_some());
            if owed == 0 && surveyed {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{owed} debts are not paid");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What a bucket itself holds under a key, told by its driver.
    pub async fn copy(&self, bucket: usize, key: &str) -> Option<Vec<u8>> {
        let (_, space) = self.space().await;
        let id = self.buckets[bucket].into();
        let member = space.member(id).expect("a member");
        let driver = member.driver(self.services()).await.expect("a driver");
        let fetched = driver.get(&member.key(key), None).await.ok()?;
        Some(fetched.body.try_collect::<Vec<_>>().await.ok()?.concat())
    }
}

//! A storage repo to which objects come in parts, and short words for what is done with them.

use std::path::PathBuf;

use bytes::Bytes;
use futures::StreamExt as _;
use md5::{Digest as _, Md5};
use repoplane::model::id::UploadId;
use repoplane::model::object::{Attributes, Object};
use repoplane::model::time::Timestamp;
use repoplane::model::upload::{Part, Wanted};
use repoplane::service::objects::uploads::{self, Completion, Named, NewPart, NewUpload};
use repoplane::service::objects::{Conditions, ObjectError, Promised, Session};
use repoplane_client::types;
use serde_json::json;

use crate::objects::stage::Stage;
use crate::storage::stage::typed;
use crate::support::Server;

/// The smallest part but the last, in bytes.
pub const PART_BYTES: usize = 5 * 1024 * 1024;

/// A key, and an upload of it.
pub type Place<'k> = (&'k str, UploadId);

pub struct Uploads<'s> {
    pub stage: Stage<'s>,
}

impl<'s> Uploads<'s> {
    /// See [`Stage::on_disk`].
    pub async fn on_disk(server: &'s Server, mode: &str, buckets: usize) -> Self {
        Self::on(Stage::on_disk(server, mode, buckets).await).await
    }

    /// Over buckets of which it is known that they hold nothing.
    pub async fn on(stage: Stage<'s>) -> Self {
        stage.until_alike().await;
        Self { stage }
    }

    pub async fn begin<'k>(&self, key: &'k str) -> Place<'k> {
        (key, self.begin_as(new_upload(key, None)).await.expect("an upload"))
    }

    pub async fn begin_as(&self, new: NewUpload) -> Result<UploadId, ObjectError> {
        let (session, space) = self.stage.space().await;
        uploads::create(self.stage.services(), &session, &space, new).await
    }

    pub async fn send(
        &self,
        place: Place<'_>,
        number: u32,
        content: &[u8],
    ) -> Result<Part, ObjectError> {
        self.promise(place, number, content, Promised::default()).await
    }

    pub async fn promise(
        &self,
        place: Place<'_>,
        number: u32,
        content: &[u8],
        promised: Promised,
    ) -> Result<Part, ObjectError> {
        let (session, space) = self.stage.space().await;
        let new = NewPart { number, length: content.len() as u64, promised };
        let pieces: Vec<_> =
            content.chunks(64 * 1024).map(Bytes::copy_from_slice).map(Ok).collect();
        let content = futures::stream::iter(pieces).boxed();
        uploads::part(self.stage.services(), &session, &space, place, new, content).await
    }

    pub async fn complete(&self, place: Place<'_>, parts: &[Part]) -> Result<Object, ObjectError> {
        self.complete_as(place, completion(parts)).await
    }

    pub async fn complete_as(
        &self,
        place: Place<'_>,
        completion: Completion,
    ) -> Result<Object, ObjectError> {
        let (session, space) = self.stage.space().await;
        uploads::complete(self.stage.services(), &session, &space, place, completion).await
    }

    pub async fn abort(&self, place: Place<'_>) -> Result<(), ObjectError> {
        self.abort_as(&self.stage.session().await, place).await
    }

    pub async fn abort_as(&self, session: &Session, place: Place<'_>) -> Result<(), ObjectError> {
        let (_, space) = self.stage.space().await;
        uploads::abort(self.stage.services(), session, &space, place).await
    }

    pub async fn expire(&self, untouched_since: Timestamp) -> usize {
        uploads::expire(self.stage.services(), untouched_since).await.expect("a round")
    }

    /// A session of a new access key that opens the storage repo so far.
    pub async fn session_with(&self, access: &str) -> Session {
        let body: types::CreateAccessKeyRequest =
            typed(json!({ "name": access, "accessType": access }));
        let made = self.stage.user.client.create_access_key().repo_id(self.stage.repo).body(body);
        let key = made.send().await.expect("an access key").key.clone();
        let session = Session::open(self.stage.services(), &key).await;
        session.expect("an open session").expect("a key that is known")
    }

    /// How many objects a bucket owes.
    pub async fn owed(&self, bucket: usize) -> u64 {
        let (_, space) = self.stage.space().await;
        let (store, now) = (self.stage.services().store.read(), Timestamp::now());
        let id = self.stage.buckets[bucket].into();
        let owed = repoplane::store::debts::owed(store, space.id, id, now).await;
        owed.expect("debts").debts
    }

    /// A bucket's folder on the disk.
    pub fn folder(&self, bucket: usize) -> PathBuf {
        let disks = self.stage.server.folder().join("disks");
        let mut workspaces = std::fs::read_dir(&disks).expect("disks");
        let workspace = workspaces.next().expect("a workspace").expect("its folder");
        workspace.path().join("disk1").join(format!("bucket-{bucket}"))
    }

    /// How many uploads a bucket on the disk keeps parts of.
    pub fn kept(&self, bucket: usize) -> usize {
        std::fs::read_dir(self.folder(bucket).join("uploads")).map_or(0, Iterator::count)
    }

    /// Has a bucket's disk fail, whatever is done with it.
    pub fn break_disk(&self, bucket: usize) {
        let folder = self.folder(bucket);
        std::fs::rename(&folder, folder.with_extension("away")).expect("moved away");
        std::fs::write(&folder, "").expect("in its place");
    }

    pub fn mend_disk(&self, bucket: usize) {
        let folder = self.folder(bucket);
        std::fs::remove_file(&folder).expect("removed");
        std::fs::rename(folder.with_extension("away"), &folder).expect("moved back");
    }
}

pub fn new_upload(key: &str, checksum: Option<Wanted>) -> NewUpload {
    NewUpload { key: key.to_owned(), attributes: Attributes::default(), tags: vec![], checksum }
}

/// Of just these parts, without anything else being said.
pub fn completion(parts: &[Part]) -> Completion {
    let named =
        |part: &Part| Named { number: part.number, etag: part.etag.clone(), checksum: None };
    Completion {
        parts: parts.iter().map(named).collect(),
        conditions: Conditions::default(),
        checksum: None,
        composite: None,
        size: None,
    }
}

/// A content that no other seed has, as large as a part that is not the last has to be.
pub fn block(seed: u8) -> Vec<u8> {
    (0..PART_BYTES).map(|place| seed ^ u8::try_from(place % 251).expect("a byte")).collect()
}

/// The ETag that S3 gives to an object of these parts.
pub fn etag(parts: &[&[u8]]) -> String {
    let digests: Vec<u8> = parts.iter().flat_map(Md5::digest).collect();
    format!("{}-{}", hex(&Md5::digest(digests)), parts.len())
}

pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! A storage repo on local disks whose buckets can lose objects, be damaged and be taken away.

use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use repoplane_client::{Client, types};
use serde_json::Value;
use uuid::Uuid;

use crate::objects::stage::Stage;
use crate::storage::stage::{Answer, answer, typed};
use crate::support::Server;

pub struct Mirror<'s> {
    pub stage: Stage<'s>,
}

impl<'s> Mirror<'s> {
    /// A repo of so many buckets, all of them imported.
    pub async fn start(server: &'s Server, mode: &str, buckets: usize) -> Self {
        let stage = Stage::on_disk(server, mode, buckets).await;
        stage.until_alike().await;
        Self { stage }
    }

    /// As [`Self::start`], with these objects, whose content is their key.
    pub async fn with(server: &'s Server, mode: &str, buckets: usize, keys: &[&str]) -> Self {
        let mirror = Self::start(server, mode, buckets).await;
        mirror.put(keys).await;
        mirror.stage.until_alike().await;
        mirror
    }

    pub fn client(&self) -> &Client {
        &self.stage.user.client
    }

    pub async fn put(&self, keys: &[&str]) {
        for key in keys {
            self.stage.put(key, key.as_bytes()).await.expect("a write");
        }
    }

    pub async fn spaces(&self) -> Vec<types::MirrorSpace> {
        let found = self.client().get_mirror().repo_id(self.stage.repo).send().await;
        found.expect("the mirror").into_inner().spaces
    }

    pub async fn member(&self, bucket: usize) -> types::MirrorMember {
        let members = self.spaces().await.into_iter().flat_map(|space| space.members);
        let mut members = members.filter(|member| member.bucket_id == self.stage.buckets[bucket]);
        members.next().expect("the bucket")
    }

    pub async fn repair(&self) -> Uuid {
        let asked = self.client().repair_mirror().repo_id(self.stage.repo).send().await;
        asked.expect("a repair").job_id
    }

    /// The job of each bucket, in their order.
    pub async fn scrub(&self, read: bool) -> Vec<types::Job> {
        let body = types::ScrubMirrorRequest::builder().read(Some(read));
        let asked = self.client().scrub_mirror().repo_id(self.stage.repo).body(body).send().await;
        let mut jobs = vec![];
        for id in &asked.expect("a scrub").job_ids {
            jobs.push(self.client().get_job().id(*id).send().await.expect("a job").job.clone());
        }
        let place = |job: &types::Job| {
            self.stage.buckets.iter().position(|bucket| Some(*bucket) == job.bucket_id)
        };
        jobs.sort_by_key(place);
        jobs
    }

    pub async fn restore(&self, body: Value) -> Answer<Uuid> {
        let body: types::RestoreObjectsRequest = typed(body);
        let request = self.client().restore_objects().repo_id(self.stage.repo).body(body);
        answer(request.send().await).map(|asked| asked.job_id)
    }

    /// A job as it was at its end.
    pub async fn end(&self, id: Uuid) -> types::Job {
        end(self.client(), id).await
    }

    /// A bucket's folder on the disk.
    pub fn folder(&self, bucket: usize) -> PathBuf {
        folder(self.stage.server.folder(), bucket)
    }

    /// The file of an object with a short key.
    pub fn file(&self, bucket: usize, key: &str) -> PathBuf {
        let digits: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.folder(bucket).join("objects").join(format!("{digits}."))
    }

    pub fn lose(&self, bucket: usize, key: &str) {
        std::fs::remove_file(self.file(bucket, key)).expect("a file to remove");
    }

    /// Changes content, but neither its size nor what is said about it.
    pub fn damage(&self, bucket: usize, key: &str) {
        let file = self.file(bucket, key);
        let mut bytes = std::fs::read(&file).expect("a file");
        *bytes.last_mut().expect("content") ^= 1;
        std::fs::write(file, bytes).expect("a file to damage");
    }

    /// Makes a bucket fail whatever it is asked for.
    pub fn take_away(&self, bucket: usize) {
        let folder = self.folder(bucket);
        std::fs::rename(&folder, aside(&folder)).expect("a folder to move");
        std::fs::write(&folder, "").expect("a file in its place");
    }

    pub fn bring_back(&self, bucket: usize) {
        bring_back(&self.folder(bucket));
    }
}

pub async fn end(client: &Client, id: Uuid) -> types::Job {
    let jobs: Vec<_> = client.follow_job().id(id).stream().try_collect().await.expect("a job");
    jobs.into_iter().next_back().expect("its end")
}

pub fn folder(data: &Path, bucket: usize) -> PathBuf {
    // There is one workspace with disks.
    let mut workspaces = std::fs::read_dir(data.join("disks")).expect("disks");
    let workspace = workspaces.next().expect("a workspace").expect("an entry").path();
    workspace.join("disk1").join(format!("bucket-{bucket}"))
}

/// Ends what [`Mirror::take_away`] began.
pub fn bring_back(folder: &Path) {
    std::fs::remove_file(folder).expect("the file in its place");
    std::fs::rename(aside(folder), folder).expect("the folder");
}

fn aside(folder: &Path) -> PathBuf {
    folder.with_extension("aside")
}

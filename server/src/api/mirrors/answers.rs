//! What is answered about copies.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::storage_words::StorageMode;
use crate::model::id::JobId;
use crate::model::mirror::{self, Breaker, Mirror};
use crate::model::time::Timestamp;

/// How alike the copies of a storage repo's objects are.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MirrorResponse {
    /// Always `true`.
    success: bool,
    /// Id of the storage repo.
    repo_id: Uuid,
    mode: StorageMode,
    /// Its namespaces. A storage repo without buckets has none.
    spaces: Vec<MirrorSpace>,
}

/// One namespace of objects, and the buckets that hold them.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MirrorSpace {
    /// The bucket names that S3 clients know it by.
    names: Vec<String>,
    /// Its buckets, in the order they were given.
    members: Vec<MirrorMember>,
}

/// What a bucket has to catch up with.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"bucketId": "123e4567-e89b-42d3-a456-426614174000", "name": "Photos in Ireland", "folder": "backups", "master": true, "state": "behind", "breaker": "closed", "debts": 2, "bytesBehind": 4096, "oldestDebtSeconds": 12, "retained": 0, "lastScrubAt": "2026-01-15T10:30:00Z"}))]
pub struct MirrorMember {
    /// Id of the bucket.
    bucket_id: Uuid,
    /// Name of the bucket.
    name: String,
    /// Where in the bucket; empty for its root.
    folder: String,
    /// Whether this is the primary bucket.
    master: bool,
    /// The bucket in one word: `unreachable` (its breaker is not closed), `importing` (nobody knows yet what it
    /// held before), `behind` (it owes objects), `active`. The first that holds.
    state: String,
    /// Whether this process uses the bucket: `closed` (it does), `open` (it failed of late and is left alone until
    /// `breakerUntil`), `half-open` (the next request tries it).
    breaker: String,
    /// Until when the bucket is left alone; left out unless the breaker is `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    breaker_until: Option<DateTime<Utc>>,
    /// Objects that it does not hold as they are now, or holds though they were deleted.
    debts: u64,
    /// Bytes of the objects that it has to get.
    bytes_behind: u64,
    /// For how many seconds it has owed what it owes longest; left out if it owes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oldest_debt_seconds: Option<u64>,
    /// Deleted objects that it keeps until the retention of a BACKUP repo is over.
    retained: u64,
    /// When it was last compared with the catalog from end to end; left out if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_scrub_at: Option<DateTime<Utc>>,
    /// When all of it was last read as well; left out if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_read_at: Option<DateTime<Utc>>,
    /// Objects that its import has looked at so far; left out once it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    imported: Option<u64>,
}

/// A job that is under way.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "jobId": "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35"}))]
pub struct JobIdResponse {
    /// Always `true`.
    success: bool,
    /// Id of the job.
    job_id: Uuid,
}

/// Jobs that are under way.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"success": true, "jobIds": ["01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35"]}))]
pub struct JobIdsResponse {
    /// Always `true`.
    success: bool,
    /// Ids of the jobs, one for each bucket.
    job_ids: Vec<Uuid>,
}

impl From<Mirror> for MirrorResponse {
    fn from(mirror: Mirror) -> Self {
        Self {
            success: true,
            repo_id: mirror.repo.id.uuid(),
            mode: mirror.repo.mode.into(),
            spaces: mirror.spaces.into_iter().map(MirrorSpace::from).collect(),
        }
    }
}

impl From<mirror::MirrorSpace> for MirrorSpace {
    fn from(space: mirror::MirrorSpace) -> Self {
        let members = space.members.into_iter().map(MirrorMember::from).collect();
        Self { names: space.names, members }
    }
}

impl From<mirror::MirrorMember> for MirrorMember {
    fn from(member: mirror::MirrorMember) -> Self {
        let since =
            |at: Timestamp| (Timestamp::now().seconds() - at.seconds()).max(0).unsigned_abs();
        Self {
            state: member.state().as_str().to_owned(),
            breaker: member.breaker.as_str().to_owned(),
            breaker_until: match member.breaker {
                Breaker::Open(until) => Some(until.into()),
                Breaker::Closed | Breaker::HalfOpen => None,
            },
            bucket_id: member.bucket.id.uuid(),
            name: member.bucket.name,
            folder: member.folder,
            master: member.primary,
            debts: member.debts,
            bytes_behind: member.bytes_behind,
            oldest_debt_seconds: member.oldest_debt_at.map(since),
            retained: member.retained,
            last_scrub_at: member.surveyed_at.map(DateTime::from),
            last_read_at: member.read_at.map(DateTime::from),
            imported: member.imported,
        }
    }
}

impl JobIdResponse {
    pub fn new(job: JobId) -> Self {
        Self { success: true, job_id: job.uuid() }
    }
}

impl JobIdsResponse {
    pub fn new(jobs: Vec<JobId>) -> Self {
        Self { success: true, job_ids: jobs.into_iter().map(JobId::uuid).collect() }
    }
}

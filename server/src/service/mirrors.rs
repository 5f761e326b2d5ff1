//! How alike the copies of a storage repo's objects are, and what people ask to be done about it. The
//! work itself is a job; nothing here waits for a bucket.

use serde_json::json;

use crate::model::access::{Caller, Role};
use crate::model::audit::{Action, Context, NewEvent};
use crate::model::id::{JobId, SpaceId, StorageRepoId};
use crate::model::job::JobKind;
use crate::model::mirror::{Mirror, MirrorMember, MirrorSpace};
use crate::model::object::KEY_BYTES_MAX;
use crate::model::storage_job::{Asked, StorageJob, StorageJobKind};
use crate::model::storage_repo::{Mode, StorageRepo};
use crate::model::time::Timestamp;
use crate::service::objects::restoring;
use crate::service::{Error, Result, Services, storage_repos};
use crate::store::spaces::{self, CopyRow};
use crate::store::{Tx, audit, debts, jobs, storage_jobs};

/// How the buckets of a storage repo do. What is said of breakers is what this process knows.
pub async fn get(services: &Services, caller: &Caller, id: StorageRepoId) -> Result<Mirror> {
    let repo = storage_repos::require(services, caller, id, Role::Read).await?;
    let imports = storage_jobs::unfinished_of_repo(services.store.read(), id).await?;
    let mut found: Vec<(SpaceId, MirrorSpace)> = vec![];
    for copy in spaces::copies(services.store.read(), id).await? {
        let space = copy.space.id;
        if found.last().is_none_or(|(known, _)| *known != space) {
            let names = if repo.mode.is_shared() { vec![repo.name.clone()] } else { vec![] };
            found.push((space, MirrorSpace { names, members: vec![] }));
        }
        let import = imports.iter().find(|job| {
            job.kind == StorageJobKind::Survey
                && job.space == space
                && job.bucket == Some(copy.bucket.id)
        });
        let member = member(services, copy, import).await?;
        if let Some((_, space)) = found.last_mut() {
            let name = &member.bucket.place.bucket;
            if !space.names.contains(name) {
                space.names.push(name.clone());
            }
            space.members.push(member);
        }
    }
    Ok(Mirror { repo, spaces: found.into_iter().map(|(_, space)| space).collect() })
}

async fn member(
    services: &Services,
    copy: CopyRow,
    import: Option<&StorageJob>,
) -> Result<MirrorMember> {
    let (store, now) = (services.store.read(), Timestamp::now());
    let owed = debts::owed(store, copy.space.id, copy.bucket.id, now).await?;
    let looked = import.map_or(0, |job| job.done.unsigned_abs());
    Ok(MirrorMember {
        breaker: services.plane.breaker(copy.bucket.id),
        debts: owed.debts,
        bytes_behind: owed.bytes,
        oldest_debt_at: owed.oldest,
        retained: owed.held,
        imported: copy.surveyed_at.is_none().then_some(looked),
        surveyed_at: copy.surveyed_at,
        read_at: copy.read_at,
        folder: copy.folder,
        primary: copy.primary,
        bucket: copy.bucket,
    })
}

/// Makes all that is owed due now. The job that waits for it, new or under way.
pub async fn repair(services: &Services, caller: &Caller, id: StorageRepoId) -> Result<JobId> {
    let (repo, mut tx) = hold(services, caller, id).await?;
    let spaces = spaces_of(&mut tx, &repo).await?;
    let now = Timestamp::now();
    for space in &spaces {
        debts::hasten(&mut *tx, *space, now).await?;
    }
    let unfinished = storage_jobs::unfinished_of_repo(&mut *tx, id).await?;
    if let Some(job) = unfinished.iter().find(|job| job.kind == StorageJobKind::Repair) {
        let job = go_on(&mut tx, job).await?;
        tx.commit().await?;
        return Ok(job);
    }
    let mut job = StorageJob::new(id, spaces[0], None, StorageJobKind::Repair, Asked::default());
    for space in spaces {
        let left = debts::left(&mut *tx, space, job.created_at, now).await?;
        job.total += left.iter().map(|left| left.debts).sum::<i64>();
    }
    add(&mut tx, caller, &repo, &job).await?;
    tx.commit().await?;
    Ok(job.id)
}

/// Holds every bucket against the catalog. The jobs that do it, new or under way.
pub async fn scrub(
    services: &Services,
    caller: &Caller,
    id: StorageRepoId,
    read: bool,
) -> Result<Vec<JobId>> {
    let (repo, mut tx) = hold(services, caller, id).await?;
    spaces_of(&mut tx, &repo).await?;
    let unfinished = storage_jobs::unfinished_of_repo(&mut *tx, id).await?;
    let mut found = vec![];
    for (space, buckets) in spaces::of_repo(&mut tx, id).await? {
        for bucket in buckets {
            // Who reads all of it lists it as well, but not the other way round.
            let known = unfinished.iter().find(|job| {
                job.kind == StorageJobKind::Survey
                    && (job.space, job.bucket) == (space.id, Some(bucket))
                    && (job.asked.read || !read)
            });
            if let Some(job) = known {
                found.push(go_on(&mut tx, job).await?);
                continue;
            }
            let asked = Asked { read, ..Asked::default() };
            let kind = StorageJobKind::Survey;
            let job = StorageJob::new(id, space.id, Some(bucket), kind, asked);
            add(&mut tx, caller, &repo, &job).await?;
            found.push(job.id);
        }
    }
    tx.commit().await?;
    Ok(found)
}

/// Brings deleted objects back from the backups. The job that does it, new or, if the very same was
/// asked for, under way.
pub async fn restore(
    services: &Services,
    caller: &Caller,
    id: StorageRepoId,
    asked: Asked,
) -> Result<JobId> {
    let (repo, mut tx) = hold(services, caller, id).await?;
    if asked.prefix.chars().count() > KEY_BYTES_MAX || asked.prefix.contains('\0') {
        let message = format!("prefix: has at most {KEY_BYTES_MAX} characters, and no NUL");
        return Err(Error::invalid("prefix", message));
    }
    if repo.mode != Mode::Backup {
        let message = format!(
            "The storage repo is of mode {}, in which deletes reach every bucket at once. Only \
             backups of mode BACKUP keep what was deleted.",
            repo.mode.as_str()
        );
        return Err(Error::invalid("repoId", message));
    }
    let spaces = spaces_of(&mut tx, &repo).await?;
    let unfinished = storage_jobs::unfinished_of_repo(&mut *tx, id).await?;
    if let Some(job) = unfinished.iter().find(|job| job.kind == StorageJobKind::Restore) {
        if job.asked != asked {
            let message = format!(
                "Another restore of the storage repo is under way. Wait for the end of job {}.",
                job.id
            );
            return Err(Error::Conflict { message, current_head: None });
        }
        let job = go_on(&mut tx, job).await?;
        tx.commit().await?;
        return Ok(job);
    }
    let mut job = StorageJob::new(id, spaces[0], None, StorageJobKind::Restore, asked);
    job.total = restoring::total(&mut tx, job.space, &job.asked).await?;
    add(&mut tx, caller, &repo, &job).await?;
    tx.commit().await?;
    Ok(job.id)
}

/// The storage repo, held so that nobody else asks for the same meanwhile.
async fn hold(
    services: &Services,
    caller: &Caller,
    id: StorageRepoId,
) -> Result<(StorageRepo, Tx)> {
    let seen = storage_repos::require(services, caller, id, Role::Write).await?;
    let mut tx = services.store.begin().await?;
    storage_repos::hold(&mut tx, &[seen.workspace]).await?;
    let repo = storage_repos::again(&mut tx, caller, &seen).await?;
    Ok((repo, tx))
}

/// Its spaces that have buckets, of which there must be one.
async fn spaces_of(tx: &mut Tx, repo: &StorageRepo) -> Result<Vec<SpaceId>> {
    let found = spaces::of_repo(tx, repo.id).await?;
    let with_buckets = found.iter().filter(|(_, buckets)| !buckets.is_empty());
    let spaces: Vec<_> = with_buckets.map(|(space, _)| space.id).collect();
    if spaces.is_empty() {
        let message = "The storage repo has no buckets. Put one into it first.";
        return Err(Error::invalid("repoId", message));
    }
    Ok(spaces)
}

async fn add(tx: &mut Tx, caller: &Caller, repo: &StorageRepo, job: &StorageJob) -> Result<()> {
    storage_jobs::add(tx, job).await?;
    let line = NewEvent::by(caller, Context::Repo, repo.id, Action::Updated, repo.workspace)
        .with(json!({ "name": repo.name, "job": job.id, "kind": job.kind.as_str() }));
    Ok(audit::insert(&mut **tx, &line).await?)
}

/// Sees to it that a job that is under way is gone on with.
async fn go_on(tx: &mut Tx, job: &StorageJob) -> Result<JobId> {
    let (kind, subject) = (JobKind::StorageJob, job.id.to_string());
    jobs::enqueue(&mut **tx, kind, &subject, Timestamp::now()).await?;
    Ok(job.id)
}

//! Keeps the spaces of a storage repo in line with its members, within the transaction that changes
//! those. What a bucket held before is surveyed by a job; what it alone holds keeps it from being taken
//! out.

use crate::model::id::{BucketId, SpaceId, StorageRepoId};
use crate::model::job::JobKind;
use crate::model::storage_job::{Asked, StorageJob, StorageJobKind};
use crate::model::storage_repo::{Member, Mode, StorageRepo};
use crate::model::time::Timestamp;
use crate::service::{Error, Result};
use crate::store::spaces::{self, SpaceRow};
use crate::store::{
    Store, Tx, debts, jobs, storage_jobs, storage_links, storage_repos, workspaces,
};

/// What a storage repo held, and what it is to hold.
pub struct Change<'a> {
    /// Its mode until now.
    pub was: Mode,
    pub before: &'a [Member],
    pub after: &'a [Member],
}

/// Makes, changes and sets aside spaces as a change of members wants it.
pub async fn arrange(tx: &mut Tx, repo: &StorageRepo, change: Change<'_>) -> Result<()> {
    let found = spaces::of_repo(tx, repo.id).await?;
    let turned = change.was.is_shared() != repo.mode.is_shared();
    if turned || !repo.mode.is_shared() {
        for (space, buckets) in &found {
            let stays = !turned && change.after.iter().any(|member| is_place_of(space, member));
            if turned {
                require_alike(tx, space.id, buckets).await?;
            }
            if !stays {
                set_aside(tx, space.id).await?;
            }
        }
    }
    if !repo.mode.is_shared() {
        for member in change.after {
            let known = !turned && found.iter().any(|(space, _)| is_place_of(space, member));
            let moved = change.before.iter().any(|old| is_moved(old, member));
            match found.iter().find(|(space, _)| space.only == Some(member.bucket)) {
                Some((space, _)) if known && moved => {
                    survey_anew(tx, repo.id, space.id, member.bucket).await?
                }
                Some(_) if known => {}
                _ => add(tx, repo, Some(member.bucket), std::slice::from_ref(member)).await?,
            }
        }
        return Ok(());
    }
    match found.first().filter(|_| !turned) {
        None => add(tx, repo, None, change.after).await,
        Some((space, held)) => {
            if change.was == Mode::Backup && repo.mode == Mode::Mirror {
                debts::release_held(tx, space.id, Timestamp::now()).await?;
            }
            regroup(tx, repo, space.id, held, &change).await
        }
    }
}

/// Makes the spaces of storage repos that are older than spaces, when a server starts.
pub async fn arrange_old(store: &Store) -> Result<()> {
    for repo in storage_repos::without_space(store.read()).await? {
        let mut tx = store.begin().await?;
        // Another server may be starting as well.
        if workspaces::hold(&mut *tx, repo.workspace).await?
            && spaces::of_repo(&mut tx, repo.id).await?.is_empty()
        {
            let members = storage_links::members(&mut *tx, repo.id).await?;
            let change = Change { was: repo.mode, before: &[], after: &members };
            arrange(&mut tx, &repo, change).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Sets all spaces of a storage repo aside, because it is deleted.
pub async fn set_all_aside(tx: &mut Tx, repo: &StorageRepo) -> Result<()> {
    for (space, _) in spaces::of_repo(tx, repo.id).await? {
        set_aside(tx, space.id).await?;
    }
    Ok(())
}

/// Surveys a bucket anew wherever it is held, because it is in another place now.
pub async fn bucket_moved(tx: &mut Tx, repo: StorageRepoId, bucket: BucketId) -> Result<()> {
    for (space, held) in spaces::of_repo(tx, repo).await? {
        if held.contains(&bucket) {
            survey_anew(tx, repo, space.id, bucket).await?;
        }
    }
    Ok(())
}

fn is_place_of(space: &SpaceRow, member: &Member) -> bool {
    space.only == Some(member.bucket)
}

fn is_moved(old: &Member, new: &Member) -> bool {
    old.bucket == new.bucket && old.folder != new.folder
}

async fn add(
    tx: &mut Tx,
    repo: &StorageRepo,
    only: Option<BucketId>,
    members: &[Member],
) -> Result<()> {
    let space = SpaceRow { id: SpaceId::new(), only, created_at: Timestamp::now() };
    spaces::add(tx, repo.id, &space).await?;
    // What the primary held before goes before what others held.
    let first = members.iter().filter(|member| member.primary);
    for member in first.chain(members.iter().filter(|member| !member.primary)) {
        spaces::add_copy(tx, space.id, member.bucket, None).await?;
        survey(tx, repo.id, space.id, member.bucket).await?;
    }
    Ok(())
}

/// Takes members in and out of a space that stays.
async fn regroup(
    tx: &mut Tx,
    repo: &StorageRepo,
    space: SpaceId,
    held: &[BucketId],
    change: &Change<'_>,
) -> Result<()> {
    let stays = |bucket: &BucketId| {
        let moved = |member: &Member| change.before.iter().any(|old| is_moved(old, member));
        change.after.iter().any(|member| member.bucket == *bucket && !moved(member))
    };
    let (kept, leaving): (Vec<_>, Vec<_>) = held.iter().partition(|bucket| stays(bucket));
    if !kept.is_empty()
        && !leaving.is_empty()
        && let Some(key) = debts::sole(tx, space, &kept).await?
    {
        let message = format!(
            "A bucket that is to be taken out, or to another folder, holds the only copy of some \
             objects, `{key}` among them. Wait until the others are repaired, see GET \
             /repo/{}/mirror.",
            repo.id
        );
        return Err(Error::Conflict { message, current_head: None });
    }
    for bucket in leaving {
        debts::forgive(tx, space, bucket).await?;
        spaces::remove_copy(tx, space, bucket).await?;
    }
    for member in change.after.iter().filter(|member| !kept.contains(&member.bucket)) {
        spaces::add_copy(tx, space, member.bucket, None).await?;
        survey(tx, repo.id, space, member.bucket).await?;
    }
    Ok(())
}

/// Independent buckets show what they hold, so they have to hold the same before they become so.
async fn require_alike(tx: &mut Tx, space: SpaceId, buckets: &[BucketId]) -> Result<()> {
    for bucket in buckets {
        let owed = debts::owed(&mut **tx, space, *bucket, Timestamp::now()).await?;
        if owed.debts > 0 {
            let message = format!(
                "Bucket {bucket} does not hold {} of the objects yet. Wait until it is repaired, or \
                 take it out first.",
                owed.debts
            );
            return Err(Error::Conflict { message, current_head: None });
        }
    }
    Ok(())
}

async fn survey_anew(
    tx: &mut Tx,
    repo: StorageRepoId,
    space: SpaceId,
    bucket: BucketId,
) -> Result<()> {
    spaces::remove_copy(tx, space, bucket).await?;
    spaces::add_copy(tx, space, bucket, None).await?;
    survey(tx, repo, space, bucket).await
}

async fn survey(tx: &mut Tx, repo: StorageRepoId, space: SpaceId, bucket: BucketId) -> Result<()> {
    let kind = StorageJobKind::Survey;
    let job = StorageJob::new(repo, space, Some(bucket), kind, Asked::default());
    Ok(storage_jobs::add(tx, &job).await?)
}

async fn set_aside(tx: &mut Tx, space: SpaceId) -> Result<()> {
    let now = Timestamp::now();
    spaces::set_aside(tx, space, now).await?;
    Ok(jobs::enqueue(&mut **tx, JobKind::ClearSpace, &space.to_string(), now).await?)
}

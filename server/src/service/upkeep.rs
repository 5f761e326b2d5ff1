//! What keeps source repos small and removes what deleted ones left. Run by the worker, for
//! nobody in particular, so it checks no access and only ever removes what nothing names.

use futures::TryStreamExt as _;
use uuid::Uuid;

use crate::backend::git::repack::repack;
use crate::model::id::SourceRepoId;
use crate::model::job::JobKind;
use crate::model::source_repo::{DROP_GRACE, STRAY_GRACE};
use crate::model::time::Timestamp;
use crate::service::edits::blocking;
use crate::service::{Error, Result, Services};
use crate::store::{jobs, source_packs, source_repos};

/// Replaces the packs of a repo by one that holds all of it.
pub async fn compact(services: &Services, repo: &str) -> Result<()> {
    let repo: SourceRepoId = repo.parse().map_err(Error::internal)?;
    let Some(position) = source_repos::position(services.store.read(), repo).await? else {
        return Ok(());
    };
    if !position.packed.is_compaction_due() {
        return Ok(());
    }
    // With all that is in the database by now: what made this due may have just been written.
    let cache = services.editors.serve(repo).await?;
    let held = cache.clone();
    let (pack, upto) = blocking(move || {
        // Read first: edits go on meanwhile, and what they add may be in the pack or not.
        let upto = cache.seq()?;
        Ok((repack(&cache)?, upto))
    })
    .await?;
    let upto = i64::try_from(upto).map_err(Error::internal)?;
    let bytes = tokio::fs::metadata(&pack).await?.len();
    let bytes = i64::try_from(bytes).map_err(Error::internal)?;
    let key = format!("source/{repo}/{}.base.pack", Uuid::now_v7());
    services.objects.put_file(&key, &pack).await?;
    drop(held);

    let mut tx = services.store.begin().await?;
    if source_repos::hold(&mut tx, repo).await?.is_none() {
        drop(tx);
        return Ok(services.objects.delete(&key).await?);
    }
    let replaced = source_packs::object_keys(&mut *tx, repo, upto).await?;
    source_packs::replace_by_base(&mut tx, repo, upto, &key, bytes).await?;
    // Somebody may be reading them right now.
    let due = Timestamp::now().plus(DROP_GRACE);
    for key in &replaced {
        jobs::enqueue(&mut *tx, JobKind::DropObject, key, due).await?;
    }
    Ok(tx.commit().await?)
}

/// Removes what a deleted repo left.
pub async fn purge(services: &Services, repo: &str) -> Result<()> {
    let repo: SourceRepoId = repo.parse().map_err(Error::internal)?;
    services.editors.forget(repo).await?;
    services.searches.forget(repo);
    let now = Timestamp::now();
    let mut tx = services.store.begin().await?;
    for key in source_packs::object_keys(&mut *tx, repo, i64::MAX).await? {
        jobs::enqueue(&mut *tx, JobKind::DropObject, &key, now).await?;
    }
    source_packs::delete_all(&mut *tx, repo).await?;
    source_repos::purge(&mut tx, repo).await?;
    Ok(tx.commit().await?)
}

/// Queues the removal of objects that no row came to name, because a server ended in between. Only
/// those of repos that are there: whatever else is in the store may be somebody else's.
pub async fn mark_strays(services: &Services, now: Timestamp) -> Result<usize> {
    let mut found = 0;
    let mut objects = services.objects.list("source");
    while let Some((key, since)) = objects.try_next().await? {
        let repo = key.split('/').nth(1).and_then(|id| id.parse::<SourceRepoId>().ok());
        let Some(repo) = repo.filter(|_| Timestamp::from(since) <= now.minus(STRAY_GRACE)) else {
            continue;
        };
        let db = services.store.read();
        if !source_repos::present(db, &[repo]).await?.is_empty()
            && !source_packs::names(db, &key).await?
        {
            // Whoever reads it right now still can; and it is looked at again then.
            let due = now.plus(DROP_GRACE);
            jobs::enqueue(services.store.write_now(), JobKind::DropObject, &key, due).await?;
            found += 1;
        }
    }
    Ok(found)
}

/// Removes an object, unless a copy of the repo it was made for still names it.
pub async fn drop_object(services: &Services, key: &str) -> Result<()> {
    if source_packs::names(services.store.read(), key).await? {
        return Ok(());
    }
    Ok(services.objects.delete(key).await?)
}

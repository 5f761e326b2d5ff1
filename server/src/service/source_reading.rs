//! From what a commit is called to the objects of a source repo: what all that only looks at a
//! repo goes through. It must never change anything.

use std::sync::Arc;

use gix::ObjectId;

use crate::backend::git::cache::Cache;
use crate::backend::git::objects::ObjectError;
use crate::backend::git::read::peel;
use crate::model::edit::CommitId;
use crate::model::source_ref::Revision;
use crate::model::source_repo::SourceRepo;
use crate::service::edits::blocking;
use crate::service::{Error, Result, Services};
use crate::store::source_refs;

/// Runs `work` on the repo's objects at a commit, the head of the default branch if none is
/// named.
pub async fn read<T: Send + 'static>(
    services: &Services,
    repo: &SourceRepo,
    at: Option<Revision>,
    work: impl Fn(&Arc<Cache>, CommitId) -> Result<Result<T>, ObjectError> + Send + Sync + 'static,
) -> Result<T> {
    read_all(services, repo, [at], move |cache, [at]| work(cache, at)).await
}

/// As [`read`], at several commits. A cache that turns out to be broken is built again once.
pub async fn read_all<T: Send + 'static, const N: usize>(
    services: &Services,
    repo: &SourceRepo,
    at: [Option<Revision>; N],
    work: impl Fn(&Arc<Cache>, [CommitId; N]) -> Result<Result<T>, ObjectError> + Send + Sync + 'static,
) -> Result<T> {
    let mut ids = Vec::with_capacity(N);
    for revision in &at {
        ids.push(find(services, repo, revision.as_ref()).await?);
    }
    let names: Arc<Vec<_>> =
        Arc::new(at.iter().map(|at| at.as_ref().map(ToString::to_string)).collect());
    let (work, wanted) = (Arc::new(work), ids.clone());
    let run = |cache: Arc<Cache>| {
        let (work, names, ids) = (work.clone(), names.clone(), ids.clone());
        blocking(move || {
            let mut commits = Vec::with_capacity(N);
            for (id, name) in ids.iter().zip(&*names) {
                match peel(&*cache, *id)? {
                    Some(commit) => commits.push(commit),
                    None => return Ok(Err(no_commit(name.as_deref().unwrap_or("HEAD")))),
                }
            }
            let commits = commits.try_into().expect("as many commits as were asked for");
            Ok(work(&cache, commits)?)
        })
    };
    match run(services.editors.open(repo.id, &wanted).await?).await {
        Err(Error::Internal(error)) => {
            tracing::warn!(repo = %repo.id, %error, "a cache cannot be read and is built again");
            run(services.editors.rebuild(repo.id).await?).await?
        }
        other => other?,
    }
}

/// The object that is named: for a tag with a message, the tag itself.
async fn find(services: &Services, repo: &SourceRepo, at: Option<&Revision>) -> Result<ObjectId> {
    let text = match at {
        Some(Revision::Id(id)) => return Ok((*id).into()),
        None => repo.head.clone(),
        Some(Revision::Name(name)) if name == "HEAD" => repo.head.clone(),
        Some(Revision::Name(name)) => {
            let names = Revision::candidates(name);
            let found = source_refs::find(services.store.read(), repo.id, &names).await?;
            let first = names.iter().find_map(|name| found.iter().find(|it| it.name == *name));
            first.ok_or_else(|| no_commit(name))?.oid.clone()
        }
    };
    let id: CommitId = text.parse().map_err(Error::internal)?;
    Ok(id.into())
}

fn no_commit(name: &str) -> Error {
    Error::NotFound(format!("The repo has no branch, tag or commit `{name}`."))
}

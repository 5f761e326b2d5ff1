//! New source repos: empty, from files, as a copy of another one, or from a repository elsewhere.

use crate::backend::git::commit::{self, Draft};
use crate::backend::git::objects::{Object, ObjectSource, Objects};
use crate::backend::git::pack::write_pack;
use crate::backend::git::read::Nothing;
use crate::model::access::{Caller, Role};
use crate::model::audit::Action;
use crate::model::edit::{Change, CommitId, Edit, FileWrite, Identity};
use crate::model::git_source::Phase;
use crate::model::id::{ImportId, SourceRepoId, WorkspaceId};
use crate::model::job::JobKind;
use crate::model::source_repo::{Metadata, Packed, SourceRepo};
use crate::model::time::Timestamp;
use crate::model::webhook::Happening;
use crate::service::edits::apply::{EditError, Stamp, apply};
use crate::service::edits::{blocking, committer};
use crate::service::source_fetch::{GitSource, Waiting, fetch_new};
use crate::service::source_repos::{check_metadata, line, require};
use crate::service::{Error, Result, Services, access, packs, webhooks};
use crate::store::{
    Tx, audit, jobs, source_imports, source_packs, source_refs, source_repos, workspaces,
};

/// What a new repo is to be.
pub struct NewRepo {
    pub source: Source,
    pub metadata: Option<Metadata>,
    pub auto_index: bool,
    pub workspace: Option<WorkspaceId>,
}

#[derive(Clone)]
pub enum Source {
    Files(Vec<FileWrite>),
    Copy { of: SourceRepoId, metadata: bool },
    Git(GitSource),
}

/// Creates a repo while its client waits.
pub async fn create(services: &Services, caller: &Caller, new: NewRepo) -> Result<SourceRepo> {
    const ADVICE: &str = "Start an import with `POST /v1/repo_import`, which may take longer.";
    let waiting = Waiting::request(services, ADVICE);
    let mut repo = prepare(services, caller, &new).await?;
    make(services, caller, &mut repo, new.source, &waiting, None).await?;
    Ok(repo)
}

/// The record of a repo that the caller may make.
pub async fn prepare(services: &Services, caller: &Caller, new: &NewRepo) -> Result<SourceRepo> {
    access::require_account(caller)?;
    let store = &services.store;
    let workspace = match new.workspace {
        Some(workspace) => workspace,
        None => workspaces::default_of(store.read(), caller.org).await?,
    };
    access::require_workspace(store, caller, workspace, Role::Write).await?;
    if let Some(metadata) = &new.metadata {
        check_metadata(metadata, &["body", "metadata"])?;
    }
    Ok(SourceRepo {
        id: SourceRepoId::new(),
        org: caller.org,
        workspace,
        created_at: Timestamp::now(),
        updated_at: None,
        metadata: new.metadata.clone(),
        auto_index: new.auto_index,
        head: String::new(),
    })
}

/// Gives the repo its content and makes all of it durable at once, with the end of its import if it
/// has one.
pub async fn make(
    services: &Services,
    caller: &Caller,
    repo: &mut SourceRepo,
    source: Source,
    waiting: &Waiting,
    import: Option<ImportId>,
) -> Result<()> {
    match source {
        Source::Files(files) => from_files(services, caller, repo, files).await,
        Source::Copy { of, metadata } => copy(services, caller, repo, of, metadata).await,
        Source::Git(source) => from_git(services, caller, repo, &source, waiting, import).await,
    }
}

async fn from_git(
    services: &Services,
    caller: &Caller,
    repo: &mut SourceRepo,
    source: &GitSource,
    waiting: &Waiting,
    import: Option<ImportId>,
) -> Result<()> {
    let (head, cuts, received) = fetch_new(services, source, waiting).await?;
    waiting.progress.send_modify(|now| now.phase = Phase::Storing);
    repo.head = head.to_string();
    let pack = received.pack().ok_or_else(|| Error::internal("a commit came without a pack"))?;
    let (place, bytes) = packs::place_file(&services.objects, repo.id, &pack).await?;
    let bytes = i64::try_from(bytes).map_err(Error::internal)?;
    let saved = async {
        let mut tx = services.store.begin().await?;
        let packed = Packed { base_bytes: bytes, ..Packed::default() };
        source_repos::insert(&mut tx, repo, 1, packed).await?;
        source_repos::set_cuts(&mut tx, repo.id, &cuts).await?;
        source_packs::insert(&mut *tx, repo.id, 1, true, &place, bytes).await?;
        if let Some(import) = import
            && !source_imports::complete(&mut tx, import, repo, Timestamp::now()).await?
        {
            return Err(Error::not_found("Import under way"));
        }
        finish(tx, caller, repo).await
    };
    let saved = saved.await;
    if let Err(Error::NotFound(_)) = saved {
        packs::discard(&services.objects, Some(place)).await;
    }
    saved
}

async fn from_files(
    services: &Services,
    caller: &Caller,
    repo: &mut SourceRepo,
    files: Vec<FileWrite>,
) -> Result<()> {
    let author = Identity { name: caller.name.clone(), email: caller.email.clone() };
    let seconds = repo.created_at.seconds();
    let (head, pack) = blocking(move || {
        let (head, objects) = first_commit(files, author, seconds)?;
        Ok((head, write_pack(&objects)))
    })
    .await?;
    repo.head = head.to_string();
    let bytes = i64::try_from(pack.len()).map_err(Error::internal)?;
    let place = packs::place(&services.objects, repo.id, &pack).await?;
    let mut tx = services.store.begin().await?;
    let mut packed = Packed::default();
    packed.add(bytes);
    source_repos::insert(&mut tx, repo, 1, packed).await?;
    source_packs::insert(&mut *tx, repo.id, 1, false, &place, bytes).await?;
    finish(tx, caller, repo).await
}

/// One commit without a parent that holds the files.
fn first_commit(
    files: Vec<FileWrite>,
    author: Identity,
    seconds: i64,
) -> Result<(CommitId, Vec<Object>), EditError> {
    const MESSAGE: &str = "Create the repository";
    let (empty, root) = commit::build_first(&author, MESSAGE, seconds)?;
    let mut objects = Objects::new(&Nothing);
    root.into_iter().for_each(|object| objects.put(object));
    let edit = Edit { source: Some(Change::Replace(files)), ..Edit::default() };
    let stamp = Stamp {
        author: author.clone(),
        committer: committer(),
        message: MESSAGE.to_owned(),
        seconds,
    };
    let head = apply(&mut objects, empty, &edit, &stamp)?.head;
    let first = commit::build(&Draft {
        tree: objects.read(&head.into())?.root_tree()?,
        parents: &[],
        author: &author,
        committer: &committer(),
        message: MESSAGE,
        seconds,
    })?;
    let id = first.id.into();
    let mut kept = objects.into_new();
    kept.retain(|object| object.kind != gix::objs::Kind::Commit);
    kept.push(first);
    Ok((id, kept))
}

/// Takes over the packs of another repo: the rows are copied, what they name is shared.
async fn copy(
    services: &Services,
    caller: &Caller,
    repo: &mut SourceRepo,
    of: SourceRepoId,
    with_metadata: bool,
) -> Result<()> {
    let original = require(services, caller, of, Role::Read).await?;
    if with_metadata && repo.metadata.is_none() {
        repo.metadata = original.metadata;
    }
    let mut tx = services.store.begin().await?;
    let position = source_repos::hold(&mut tx, of)
        .await?
        .ok_or_else(|| Error::not_found("Source repo to copy"))?;
    repo.head.clone_from(&position.head);
    source_repos::insert(&mut tx, repo, position.seq, position.packed).await?;
    let cuts = source_repos::cuts(&mut *tx, of).await?;
    source_repos::set_cuts(&mut tx, repo.id, &cuts).await?;
    source_packs::copy(&mut *tx, of, repo.id).await?;
    source_refs::copy(&mut *tx, of, repo.id).await?;
    finish(tx, caller, repo).await
}

async fn finish(mut tx: Tx, caller: &Caller, repo: &SourceRepo) -> Result<()> {
    // The workspace may have been deleted since it was looked at.
    if !workspaces::hold(&mut *tx, repo.workspace).await? {
        return Err(Error::not_found("Workspace"));
    }
    if repo.auto_index {
        let (job, subject) = (JobKind::IndexSourceRepo, repo.id.to_string());
        jobs::enqueue(&mut *tx, job, &subject, repo.created_at).await?;
    }
    webhooks::announce(&mut tx, repo.id, [Happening::Created { head: repo.head.clone() }]).await?;
    audit::insert(&mut *tx, &line(caller, repo, Action::Created)).await?;
    Ok(tx.commit().await?)
}

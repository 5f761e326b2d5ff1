//! Which buckets and AI LLMs a storage repo may hold. Reads only, within the transaction that writes
//! what was allowed here; that transaction holds the workspace, so nothing can come between.

use std::collections::HashSet;

use crate::model::bucket::Bucket;
use crate::model::id::{AiLlmId, BucketId, IdOrName, OrgId, StorageRepoId, WorkspaceId};
use crate::model::storage_repo::{FOLDER_BYTES_MAX, MEMBERS_MAX, Member, Mode, Rule};
use crate::service::{Error, Result};
use crate::store::{Tx, access_keys, ai_llms, buckets, storage_links as links};

/// A bucket as a request names it.
#[derive(Clone, Debug)]
pub struct Link {
    pub bucket: IdOrName,
    pub folder: String,
    pub primary: bool,
}

impl From<Member> for Link {
    fn from(member: Member) -> Self {
        let Member { bucket, folder, primary } = member;
        Self { bucket: IdOrName::Id(bucket.uuid()), folder, primary }
    }
}

/// The storage repo that is to hold the buckets.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// Nothing, when it is yet to be made.
    pub id: Option<StorageRepoId>,
    /// Its mode until now, and from now on.
    pub was: Mode,
    pub mode: Mode,
}

/// Finds the buckets of `links` and holds them against every rule.
pub async fn check(tx: &mut Tx, holder: Holder, links: Vec<Link>) -> Result<Vec<Member>> {
    if links.len() > MEMBERS_MAX {
        let message = format!("repoBuckets: a storage repo holds at most {MEMBERS_MAX} buckets");
        return Err(Error::invalid("repoBuckets", message));
    }
    let mut found = Vec::with_capacity(links.len());
    for link in links {
        let bucket = buckets::find(&mut **tx, holder.org, &link.bucket).await?;
        let bucket = bucket.filter(|bucket| bucket.workspace == holder.workspace);
        let bucket = bucket.ok_or_else(|| absent("Bucket", &link.bucket))?;
        let folder = folder(&link.folder)?;
        found.push((Member { bucket: bucket.id, folder, primary: link.primary }, bucket));
    }
    check_kept(tx, holder, &found).await?;
    if holder.mode.is_shared() {
        check_shared(&found)?
    } else {
        check_independent(&found)?
    }
    check_others(tx, holder, &found).await?;
    Ok(found.into_iter().map(|(member, _)| member).collect())
}

/// Finds the AI LLMs that a storage repo is to name.
pub async fn check_ai_llms(
    tx: &mut Tx,
    workspace: WorkspaceId,
    named: Vec<IdOrName>,
) -> Result<Vec<AiLlmId>> {
    let refuse = |message: String| Err(Error::invalid("repoAiLlms", message));
    if named.len() > MEMBERS_MAX {
        return refuse(format!("repoAiLlms: a storage repo names at most {MEMBERS_MAX} AI LLMs"));
    }
    let mut llms = Vec::with_capacity(named.len());
    for which in named {
        let found = ai_llms::find(&mut **tx, workspace, &which).await?;
        let [llm] = found[..] else {
            if found.is_empty() {
                return Err(absent("AI LLM", &which));
            }
            return refuse(format!("repoAiLlms: several are called `{which}`; give the id of one"));
        };
        if llms.contains(&llm) {
            return refuse(format!("repoAiLlms: `{which}` is listed twice"));
        }
        llms.push(llm);
    }
    Ok(llms)
}

fn absent(what: &str, which: &IdOrName) -> Error {
    let message = format!("{what} `{which}` not found in the workspace. Check its id or name.");
    Error::rule(Rule::NotFound, message)
}

/// As it is kept: without slashes at its ends.
fn folder(text: &str) -> Result<String> {
    let folder = text.trim_matches('/');
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(|c| c < ' ');
    if folder.len() > FOLDER_BYTES_MAX || (!folder.is_empty() && folder.split('/').any(odd)) {
        let message = format!(
            "folder: must have at most {FOLDER_BYTES_MAX} bytes, no control character, and no \
             component that is empty, `.` or `..`"
        );
        return Err(Error::invalid("repoBuckets", message));
    }
    Ok(folder.to_owned())
}

/// Somebody with an access key may be writing to what a NORMAL repo holds.
async fn check_kept(tx: &mut Tx, holder: Holder, found: &[(Member, Bucket)]) -> Result<()> {
    let Some(id) = holder.id.filter(|_| holder.was == Mode::Normal) else { return Ok(()) };
    if access_keys::count(&mut **tx, id).await? == 0 {
        return Ok(());
    }
    for old in links::members(&mut **tx, id).await? {
        let kept = found.iter().find(|(member, _)| member.bucket == old.bucket);
        let (rule, what) = match kept {
            Some((member, _)) if member.folder == old.folder => continue,
            Some(_) => (Rule::CannotEditFolder, "the folder of a bucket cannot change"),
            None => (Rule::CannotUnlink, "a bucket cannot be taken out"),
        };
        let message = format!(
            "As long as the storage repo has access keys and is NORMAL, {what}: somebody may be \
             writing there. Delete its access keys first, or keep bucket {} in folder `{}`.",
            old.bucket, old.folder
        );
        return Err(Error::rule(rule, message));
    }
    Ok(())
}

/// One namespace over all buckets, with one primary.
fn check_shared(found: &[(Member, Bucket)]) -> Result<()> {
    let primaries = found.iter().filter(|(member, _)| member.primary).count();
    if primaries > 1 {
        let message = format!("{primaries} buckets are `master`; exactly one must be.");
        return Err(Error::rule(Rule::MasterCount, message));
    }
    if primaries == 0 && !found.is_empty() {
        let message = "No bucket is `master`; exactly one must be.";
        return Err(Error::rule(Rule::MasterMissing, message));
    }
    let mut seen: HashSet<BucketId> = HashSet::new();
    for (member, bucket) in found {
        if !seen.insert(member.bucket) {
            let message = format!("The bucket `{}` is listed twice.", bucket.name);
            return Err(Error::rule(Rule::InOtherRepo, message));
        }
    }
    Ok(())
}

/// Buckets are told apart by the names that their clouds know them by.
fn check_independent(found: &[(Member, Bucket)]) -> Result<()> {
    let mut seen = HashSet::new();
    for (_, bucket) in found {
        if !seen.insert(bucket.place.bucket.as_str()) {
            let message = format!(
                "Two buckets are `{}` in their clouds; a NORMAL storage repo tells its buckets apart \
                 by that name.",
                bucket.place.bucket
            );
            return Err(Error::rule(Rule::FolderUsed, message));
        }
    }
    Ok(())
}

/// What other storage repos do with the same buckets.
async fn check_others(tx: &mut Tx, holder: Holder, found: &[(Member, Bucket)]) -> Result<()> {
    for (member, bucket) in found {
        let uses = links::uses(&mut **tx, member.bucket).await?;
        for other in uses.iter().filter(|used| Some(used.repo) != holder.id) {
            let name = &bucket.name;
            if holder.mode.is_shared() || other.mode.is_shared() {
                let message = format!(
                    "The bucket `{name}` is in another storage repo, and a bucket of a MIRROR or \
                     BACKUP repo belongs to it alone."
                );
                return Err(Error::rule(Rule::InOtherRepo, message));
            }
            if other.folder == member.folder {
                let folder = &member.folder;
                let message =
                    format!("Another storage repo uses folder `{folder}` of the bucket `{name}`.");
                return Err(Error::rule(Rule::FolderUsed, message));
            }
        }
    }
    Ok(())
}

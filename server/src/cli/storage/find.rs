//! What an operator calls something, turned into its id. Must never pick one of several.

use uuid::Uuid;

use super::remote::Remote;
pub use crate::cli::naming::the_one;

/// The bucket that `wanted` names, by id or name.
pub async fn bucket(remote: &Remote, wanted: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let buckets = remote.all(remote.client.list_buckets().stream()).await?;
    let known = buckets.iter().map(|bucket| (bucket.id, bucket.name.as_str()));
    the_one("bucket", wanted, known, "repoplane storage bucket list")
}

/// The storage repo that `wanted` names, by id or name.
pub async fn repo(remote: &Remote, wanted: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let repos = remote.all(remote.client.list_storage_repos().stream()).await?;
    let known = repos.iter().map(|repo| (repo.id, repo.name.as_str()));
    the_one("storage repo", wanted, known, "repoplane storage repo list")
}

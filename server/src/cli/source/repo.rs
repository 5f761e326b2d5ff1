//! Source repos as records: found by id or name, listed, shown, deleted. What one is called is the
//! `name` in its metadata.

use repoplane_client::types::{SourceRepo, SourceRepoPage};
use serde_json::json;
use uuid::Uuid;

use crate::cli::naming::the_one;
use crate::cli::remote::Remote;
use crate::cli::table::{fields, shown_time, table};

/// Key of the metadata.
pub const NAME: &str = "name";

/// The source repo that `wanted` names, by id or name.
pub async fn find(remote: &Remote, wanted: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let named = json!({ NAME: wanted }).to_string();
    let repos = remote.client.list_source_repos().filter_metadata(named);
    let repos = remote.all(repos.stream()).await?;
    let known = repos.iter().map(|repo| (repo.repo_id, name(repo)));
    the_one("source repo", wanted, known, "repoplane source ls")
}

pub async fn get(remote: &Remote, wanted: &str) -> anyhow::Result<SourceRepo> {
    let id = find(remote, wanted).await?;
    remote.call(remote.client.get_source_repo().repo_id(id).send()).await
}

/// What it is called, if it is.
pub fn name(repo: &SourceRepo) -> &str {
    let name = repo.metadata.as_ref().and_then(|metadata| metadata.get(NAME));
    name.map_or("", String::as_str)
}

pub async fn list(remote: &Remote) -> anyhow::Result<()> {
    let items = remote.all(remote.client.list_source_repos().stream()).await?;
    let rows = items.iter().map(|repo| {
        let changed = shown_time(repo.updated_at.unwrap_or(repo.created_at));
        [repo.repo_id.to_string(), name(repo).to_owned(), repo.repo_head.clone(), changed]
    });
    let text = table(["ID", "NAME", "HEAD", "CHANGED"], rows);
    let total_items = i64::try_from(items.len())?;
    remote.print(&SourceRepoPage { items, next_page: None, total_items }, &text)
}

pub async fn show(remote: &Remote, wanted: &str) -> anyhow::Result<()> {
    let repo = get(remote, wanted).await?;
    let metadata: Vec<String> = repo
        .metadata
        .iter()
        .flat_map(|metadata| metadata.iter())
        .filter(|(key, _)| *key != NAME)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let text = fields([
        ("id", repo.repo_id.to_string()),
        ("name", name(&repo).to_owned()),
        ("head", repo.repo_head.clone()),
        ("git", git_url(remote, repo.repo_id)),
        ("workspace", repo.workspace_id.to_string()),
        ("metadata", metadata.join(", ")),
        ("created", shown_time(repo.created_at)),
        ("changed", repo.updated_at.map(shown_time).unwrap_or_default()),
    ]);
    remote.print(&repo, &text)
}

pub async fn remove(remote: &Remote, wanted: &str) -> anyhow::Result<()> {
    let id = find(remote, wanted).await?;
    remote.call(remote.client.delete_source_repo().repo_id(id).send()).await?;
    eprintln!("Deleted the source repo {wanted:?}.");
    remote.print(&json!({ "repo_id": id }), "")
}

/// Where git finds it.
pub fn git_url(remote: &Remote, id: Uuid) -> String {
    format!("{}/v1/repo/{id}.git", remote.url)
}

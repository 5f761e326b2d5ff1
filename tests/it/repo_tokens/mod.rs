//! Repo tokens over the API: made for some repos, shown once, bounded by their users, gone at once.

mod lists;
mod reach;

use repoplane_client::{Client, types};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::repo::{Answer, answer};

pub async fn make(client: &Client, body: Value) -> Answer<types::CreatedRepoToken> {
    let body: types::CreateRepoTokenRequest =
        serde_json::from_value(body).expect("a body the client can send");
    answer(client.create_repo_token().body(body).send().await)
}

/// A repo token with all that its user may.
pub async fn token(client: &Client, repos: &[Uuid]) -> types::CreatedRepoToken {
    make(client, json!({"name": "agent", "repo_ids": repos})).await.expect("a token")
}

pub async fn read(client: &Client, which: impl ToString) -> Answer<types::RepoToken> {
    answer(client.get_repo_token().token(which.to_string()).send().await)
}

pub async fn revoke(client: &Client, which: impl ToString) -> Answer<()> {
    answer(client.delete_repo_token().token(which.to_string()).send().await).map(drop)
}

//! Tokens: listed without their secrets, dead at once when revoked or expired, never leaked.

use std::path::Path;
use std::time::Duration;

use repoplane::model::access::OrgRole;
use repoplane::model::time::Timestamp;
use repoplane::service::operator;
use repoplane::service::tokens::Scope;
use repoplane_client::types;

use crate::isolation::stage::{create_repo, create_workspace, token};
use crate::support::answer::refusal;
use crate::support::{OWNER_TOKEN, Server};

const OWNER: &str = "owner@localhost";

#[tokio::test]
async fn the_list_shows_the_callers_own_live_tokens_newest_first() {
    let server = Server::start().await;
    let owner = server.owner();
    server.user("other@x", OrgRole::User, None).await;
    let repo = create_repo(&owner, create_workspace(&owner).await).await;
    let later = Timestamp::now().plus(Duration::from_secs(3_600));
    let scope = Scope {
        repos: vec![repo.into(), repo.into()],
        expires_at: Some(later),
        ..Scope::default()
    };
    let (repo_token, secret) = token(&server, OWNER, &scope).await;
    let past = Timestamp::from_micros(Timestamp::now().micros() - 1);
    token(&server, OWNER, &Scope { expires_at: Some(past), ..Scope::default() }).await;
    let (revoked, _) = token(&server, OWNER, &Scope::default()).await;
    owner.revoke_token().id(revoked).send().await.expect("revoked");

    let list = owner.list_tokens().send().await.expect("list").into_inner().tokens;
    let kinds: Vec<_> = list.iter().map(|token| token.kind.as_str()).collect();
    assert_eq!(kinds, ["repo", "account"]);
    assert_eq!(list[0].id, repo_token);
    assert_eq!(list[0].name, "made by the test");
    assert_eq!(list[0].expires_at.map(Timestamp::from), Some(later));
    assert_eq!(list[0].prefix, format!("{}…", &secret[..8]));
    assert_eq!((list[1].name.as_str(), list[1].expires_at), ("first token", None));
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_fails_at_once_also_the_one_that_asked() {
    let server = Server::start().await;
    let (id, secret) = token(&server, OWNER, &Scope::default()).await;
    let client = server.client(&secret);
    client.get_profile().send().await.expect("valid");
    client.revoke_token().id(id).send().await.expect("revokes itself");
    let (status, message) = refusal(client.get_profile().send().await);
    assert_eq!(status, 401);
    assert!(message.contains("repoplane token create"), "{message}");
    assert_eq!(refusal(server.owner().revoke_token().id(id).send().await).0, 404);
    server.stop().await;
}

#[tokio::test]
async fn nobody_revokes_the_token_of_somebody_else() {
    let server = Server::start().await;
    let admin = server.client(&server.user("a@x", OrgRole::Administrator, None).await);
    let (id, secret) = token(&server, OWNER, &Scope::default()).await;
    assert_eq!(refusal(admin.revoke_token().id(id).send().await).0, 404);
    server.client(&secret).get_profile().send().await.expect("still valid");
    server.stop().await;
}

#[tokio::test]
async fn tokens_die_with_their_user() {
    let server = Server::start().await;
    let client = server.client(&server.user("gone@x", OrgRole::User, None).await);
    client.get_profile().send().await.expect("valid");
    delete_user(&server, "gone@x").await;
    assert_eq!(refusal(client.get_profile().send().await).0, 401);
    server.stop().await;
}

#[tokio::test]
async fn the_profile_tells_the_users_role_and_all_it_includes() {
    let server = Server::start().await;
    let client = server.client(&server.user("w@x", OrgRole::Workspaces, None).await);
    let profile = client.get_profile().send().await.expect("profile").into_inner().data;
    assert_eq!((profile.name.as_str(), profile.last_name.as_str()), ("Test", "User"));
    assert_eq!((profile.email.as_str(), profile.org_role), ("w@x", Some(2)));
    assert_eq!(profile.org_role_description, "WORKSPACES");
    assert_eq!(profile.org_roles, [0, 1, 2]);
    server.stop().await;
}

/// Neither a token nor its hash is anywhere but in the row that checks it.
#[tokio::test]
async fn no_token_leaks_into_answers_metrics_or_files() {
    let server = Server::start().await;
    let owner = server.owner();
    let workspace = create_workspace(&owner).await;
    let repo = create_repo(&owner, workspace).await;
    let scope = Scope { repos: vec![repo.into()], ..Scope::default() };
    let (_, repo_token) = token(&server, OWNER, &scope).await;
    let change = serde_json::json!({"metadata": {"a": "b"}});
    let change: types::EditSourceRepoRequest = serde_json::from_value(change).expect("an edit");
    let editor = server.client(&repo_token);
    editor.edit_source_repo().repo_id(repo).body(change).send().await.expect("edited");

    let mut said = String::new();
    for path in ["/token", "/workspace", "/user/profile", "/v1/repo", "/metrics", "/readyz"] {
        for secret in [OWNER_TOKEN, &repo_token] {
            said += &get(&server, path, secret).await;
        }
    }
    let events = reqwest::Client::new().post(format!("{}/systemevent", server.url()));
    let events = events.bearer_auth(OWNER_TOKEN).json(&serde_json::json!({}));
    said += &events.send().await.expect("events").text().await.expect("text");
    let lookups: Vec<(String,)> = sqlx::query_as("SELECT lookup FROM tokens")
        .fetch_all(server.services().store.read())
        .await
        .expect("the rows");
    assert_eq!(lookups.len(), 2);
    for (lookup,) in lookups {
        assert!(!said.contains(&lookup), "an answer holds a part of a hash");
    }
    for secret in [OWNER_TOKEN, &repo_token] {
        assert!(!said.contains(&secret[8..]), "an answer holds a token");
        let found = files_with(server.folder(), &secret.as_bytes()[8..]);
        assert!(found.is_empty(), "a token is in {found:?}");
    }
    server.stop().await;
}

pub async fn delete_user(server: &Server, email: &str) {
    let store = &server.services().store;
    let org = operator::find_org(store, None).await.expect("organisation");
    let user = operator::find_user(store, &org, email).await.expect("user");
    operator::delete_user(store, &user).await.expect("deleted");
}

async fn get(server: &Server, path: &str, token: &str) -> String {
    let request = reqwest::Client::new().get(format!("{}{path}", server.url()));
    let answer = request.bearer_auth(token).send().await.expect("an answer");
    format!("{:?}{}", answer.headers().clone(), answer.text().await.expect("text"))
}

fn files_with(folder: &Path, needle: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if std::fs::read(&path).expect("file").windows(needle.len()).any(|at| at == needle) {
            found.push(path);
        }
    }
    found
}

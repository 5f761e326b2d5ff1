//! What repo tokens reach, and who makes them.

use std::time::{Duration, Instant};

use repoplane::model::access::{OrgRole, Role};
use repoplane_client::types;
use serde_json::json;
use uuid::Uuid;

use super::{make, read, revoke, token};
use crate::isolation::stage::{create_repo, create_workspace, id_of};
use crate::support::Server;
use crate::support::repo::{Repo, answer, write};
use crate::tokens::delete_user;

#[tokio::test]
async fn a_token_is_shown_once_and_reaches_its_repos_only() {
    let server = Server::start().await;
    let owner = server.owner();
    let (named, other) =
        (Repo::create(&owner, &[("a", "1")]).await, Repo::create(&owner, &[]).await);
    let made = token(&owner, &[named.id, named.id]).await;
    assert!(made.token.starts_with("rlcr-"), "{}", made.token);
    assert_eq!((made.repo_ids.clone(), made.expires_at), (vec![named.id], None));
    assert_eq!(made.access, types::RepoTokenAccess::Write);

    let holder = server.client(&made.token);
    let seen = named.seen_by(&holder);
    assert_eq!(seen.read("a").await.expect("the file"), b"1");
    seen.diff(vec![write("a", "2")]).await.expect("an edit");
    let elsewhere = other.seen_by(&holder);
    let absent = Repo { client: holder.clone(), id: Uuid::new_v4() };
    for repo in [elsewhere, absent] {
        assert_eq!(repo.read("a").await.expect_err("not its repo").status, 404);
        assert_eq!(repo.diff(vec![write("a", "2")]).await.expect_err("not its repo").status, 404);
    }
    assert_eq!(answer(holder.list_source_repos().send().await).expect_err("no list").status, 403);

    for which in [made.token.clone(), made.id.to_string()] {
        let record = read(&owner, which).await.expect("the record");
        assert_eq!((record.id, record.name.as_str()), (made.id, "agent"));
        assert_eq!(record.prefix, format!("{}…", &made.token[..8]));
        assert_eq!(record.repo_ids, [named.id]);
    }
    named.delete().await.expect("deleted");
    assert_eq!(read(&owner, made.id).await.expect("the record").repo_ids, Vec::<Uuid>::new());
    server.stop().await;
}

#[tokio::test]
async fn a_token_for_reading_changes_nothing() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "1")]).await;
    let body = json!({"name": "reader", "repo_ids": [repo.id], "access": "READ"});
    let made = make(&server.owner(), body).await.expect("a token");
    assert_eq!(made.access, types::RepoTokenAccess::Read);
    let seen = repo.seen_by(&server.client(&made.token));
    assert_eq!(seen.read("a").await.expect("the file"), b"1");
    assert_eq!(seen.refuses(vec![write("a", "2")]).await.status, 403);
    assert_eq!(seen.put("b", "1").await.expect_err("a change").status, 403);
    assert_eq!(seen.delete().await.expect_err("a change").status, 403);
    assert_eq!(repo.read("a").await.expect("still there"), b"1");
    server.stop().await;
}

/// A token is worth what its user is worth at the time, and nobody hands out more than they hold.
#[tokio::test]
async fn a_token_allows_no_more_than_its_user_may() {
    let server = Server::start().await;
    let owner = server.owner();
    let workspace = create_workspace(&owner).await;
    let repo = Repo { client: owner.clone(), id: create_repo(&owner, workspace).await };
    let membership = Some((workspace.into(), Role::Write));
    let user = server.client(&server.user("w@x", OrgRole::User, membership).await);
    let outsider = server.client(&server.user("o@x", OrgRole::User, None).await);
    let body = json!({"name": "agent", "repo_ids": [repo.id]});
    let read_only = json!({"name": "agent", "repo_ids": [repo.id], "access": "READ"});
    assert_eq!(make(&outsider, body.clone()).await.expect_err("invisible").status, 404);

    let holder = server.client(&make(&user, body.clone()).await.expect("a token").token);
    let seen = repo.seen_by(&holder);
    seen.diff(vec![write("a", "1")]).await.expect("an edit");
    let role = types::UpdateWorkspaceUserRequest::builder().role(types::AccessType::Read);
    let (update, member) = (owner.update_workspace_user(), id_of(&user).await);
    update.id(workspace).user_id(member).body(role).send().await.expect("now a reader");
    assert_eq!(seen.diff(vec![write("a", "2")]).await.expect_err("a reader").status, 403);
    assert_eq!(seen.read("a").await.expect("the file"), b"1");
    assert_eq!(make(&user, body).await.expect_err("more than they hold").status, 403);
    make(&user, read_only).await.expect("no more than they hold");
    delete_user(&server, "w@x").await;
    assert_eq!(seen.read("a").await.expect_err("nobody's token").status, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_repo_token_makes_and_sees_no_tokens() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let made = token(&server.owner(), &[repo.id]).await;
    let holder = server.client(&made.token);
    let body = json!({"name": "child", "repo_ids": [repo.id]});
    assert_eq!(make(&holder, body).await.expect_err("no child").status, 403);
    assert_eq!(read(&holder, &made.token).await.expect_err("not itself").status, 403);
    assert_eq!(revoke(&holder, &made.token).await.expect_err("not itself").status, 403);
    assert_eq!(answer(holder.list_repo_tokens().send().await).expect_err("no list").status, 403);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_fails_on_the_next_request_of_any_server() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    for by_id in [false, true] {
        let made = token(&server.owner(), &[repo.id]).await;
        let here = repo.seen_by(&server.client(&made.token));
        let there = repo.seen_by(&second.client(&made.token));
        for seen in [&here, &there] {
            seen.record_or_refusal().await.expect("valid");
        }
        let which = if by_id { made.id.to_string() } else { made.token.clone() };
        revoke(&server.owner(), &which).await.expect("revoked");
        for seen in [&there, &here] {
            assert_eq!(seen.record_or_refusal().await.expect_err("revoked").status, 401);
        }
        assert_eq!(revoke(&server.owner(), &which).await.expect_err("gone").status, 404);
        assert_eq!(read(&server.owner(), &which).await.expect_err("gone").status, 404);
    }
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_token_expires() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let body = json!({"name": "brief", "repo_ids": [repo.id], "ttl_seconds": 1});
    let (begun, made) = (Instant::now(), make(&server.owner(), body).await.expect("a token"));
    let left = made.expires_at.expect("an end") - made.created_at;
    assert!((900..=1_000).contains(&left.num_milliseconds()), "{left}");
    let seen = repo.seen_by(&server.client(&made.token));
    while seen.record_or_refusal().await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never expires");
    }
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(seen.record_or_refusal().await.expect_err("expired").status, 401);
    assert_eq!(read(&server.owner(), made.id).await.expect_err("expired").status, 404);
    server.stop().await;
}

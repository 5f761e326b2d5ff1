//! The audit log: one line for each change, with the right words and ids, for the right eyes.

use chrono::{DateTime, Utc};
use repoplane::model::access::{OrgRole, Role};
use repoplane::service::tokens::Scope;
use repoplane_client::{Client, types};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::isolation::stage::{create_repo, create_workspace, id_of, token};
use crate::support::Server;
use crate::support::answer::refusal;

/// The log as its reader has seen it so far.
struct Log {
    reader: Client,
    total: i64,
}

impl Log {
    async fn new_lines(&mut self) -> Vec<types::SystemEvent> {
        let page = query(&self.reader, json!({})).await;
        let new = usize::try_from(page.total - self.total).expect("a small number");
        self.total = page.total;
        page.events.into_iter().take(new).collect()
    }

    /// Since the last look there is one new line, and it says this.
    async fn expect(&mut self, words: &str, id: Uuid, workspace: Option<Uuid>, by: Uuid) {
        let new = self.new_lines().await;
        assert_eq!(new.iter().map(say).collect::<Vec<_>>(), [words]);
        assert_eq!((new[0].context_id, new[0].workspace_id), (id, workspace), "{words}");
        assert_eq!(new[0].user_id, by, "{words}");
    }
}

#[tokio::test]
async fn each_change_of_a_workspace_writes_one_line_and_a_refused_one_none() {
    let server = Server::start().await;
    let owner = server.owner();
    let me = id_of(&owner).await;
    let mut log = Log { reader: server.owner(), total: 0 };
    let first: Vec<_> = log.new_lines().await.iter().map(say).collect();
    assert_eq!(first, ["workspace created", "org created", "apikey created", "user created"]);

    let id = create_workspace(&owner).await;
    log.expect("workspace created", id, Some(id), me).await;
    let body = types::UpdateWorkspaceRequest::builder().name("other");
    owner.update_workspace().id(id).body(body).send().await.expect("renamed");
    log.expect("workspace updated", id, Some(id), me).await;

    let reader = server.client(&server.user("r@x", OrgRole::User, None).await);
    let user = id_of(&reader).await;
    let made: Vec<_> = log.new_lines().await.iter().map(say).collect();
    assert_eq!(made, ["apikey created", "user created"]);
    let add = types::AddWorkspaceUserRequest::builder().user_id(user).role(types::AccessType::Read);
    owner.add_workspace_user().id(id).body(add.clone()).send().await.expect("added");
    log.expect("workspaceuser created", user, Some(id), me).await;
    owner.add_workspace_user().id(id).body(add).send().await.expect("given again");
    log.expect("workspaceuser updated", user, Some(id), me).await;
    assert_eq!(refusal(reader.delete_workspace().id(id).send().await).0, 403);
    let role = types::UpdateWorkspaceUserRequest::builder().role(types::AccessType::Write);
    let change = owner.update_workspace_user().id(id).user_id(user).body(role);
    change.send().await.expect("changed");
    log.expect("workspaceuser updated", user, Some(id), me).await;
    owner.remove_workspace_user().id(id).user_id(user).send().await.expect("removed");
    log.expect("workspaceuser deleted", user, Some(id), me).await;
    owner.delete_workspace().id(id).send().await.expect("deleted");
    log.expect("workspace deleted", id, Some(id), me).await;
    server.stop().await;
}

#[tokio::test]
async fn each_change_of_a_repo_a_token_or_a_user_writes_one_line() {
    let server = Server::start().await;
    let owner = server.owner();
    let (me, nobody) = (id_of(&owner).await, Uuid::nil());
    let id = create_workspace(&owner).await;
    let mut log = Log { reader: server.owner(), total: 0 };
    log.new_lines().await;

    let repo = create_repo(&owner, id).await;
    log.expect("repo created", repo, Some(id), me).await;
    assert_eq!(refusal(owner.delete_workspace().id(id).send().await).0, 400);
    let edit = async |change: Value| {
        let change: types::EditSourceRepoRequest = serde_json::from_value(change).expect("edit");
        owner.edit_source_repo().repo_id(repo).body(change).send().await
    };
    edit(json!({"metadata": {"a": "b"}})).await.expect("edited");
    log.expect("repo updated", repo, Some(id), me).await;
    edit(json!({})).await.expect_err("nothing to edit");
    owner.delete_source_repo().repo_id(repo).send().await.expect("deleted");
    log.expect("repo deleted", repo, Some(id), me).await;

    let (made, _) = token(&server, "owner@localhost", &Scope::default()).await;
    log.expect("apikey created", made, None, nobody).await;
    owner.revoke_token().id(made).send().await.expect("revoked");
    log.expect("apikey deleted", made, None, me).await;
    let member = server.user("m@x", OrgRole::User, Some((id.into(), Role::Read))).await;
    let user = id_of(&server.client(&member)).await;
    let made: Vec<_> = log.new_lines().await.iter().map(say).collect();
    assert_eq!(made, ["apikey created", "workspaceuser created", "user created"]);
    crate::tokens::delete_user(&server, "m@x").await;
    log.expect("user deleted", user, None, nobody).await;
    server.stop().await;
}

#[tokio::test]
async fn filters_hold_together_and_pages_neither_overlap_nor_leave_gaps() {
    let server = Server::start().await;
    let owner = server.owner();
    let me = id_of(&owner).await;
    let (a, b) = (create_workspace(&owner).await, create_workspace(&owner).await);
    let repo = create_repo(&owner, b).await;
    let all = query(&owner, json!({})).await;
    assert!(all.events.is_sorted_by(|newer, older| newer.id > older.id), "newest first");
    assert_eq!((all.total, all.skip, all.take), (7, 0, 100));

    for (filter, total) in [
        (json!({"context": 0}), 3),
        (json!({"context": 2}), 1),
        (json!({"event": 0}), 7),
        (json!({"event": 2}), 0),
        (json!({"contextId": repo}), 1),
        (json!({"workspaceId": b}), 2),
        (json!({"workspaceId": b, "context": 0}), 1),
        (json!({"workspaceId": a, "contextId": repo}), 0),
        (json!({"userId": me}), 3),
        (json!({"showUnread": true, "context": null}), 7),
    ] {
        let page = query(&owner, filter.clone()).await;
        assert_eq!(
            (page.total, page.events.len()),
            (total, usize::try_from(total).expect("few")),
            "{filter}"
        );
    }

    let at: DateTime<Utc> = all.events[1].timestamp;
    let from = query(&owner, json!({"from_timestamp": at})).await;
    assert_eq!(from.events.last().map(|event| event.timestamp), Some(at), "from is inclusive");
    let to = query(&owner, json!({"to_timestamp": at})).await;
    assert!(to.events.iter().all(|event| event.timestamp < at), "to is exclusive");
    assert_eq!(from.total + to.total, all.total);

    let mut paged = Vec::new();
    for skip in (0..9).step_by(3) {
        let page = query(&owner, json!({"skip": skip, "take": 3})).await;
        assert_eq!((page.total, page.skip, page.take), (7, skip, 3));
        paged.extend(page.events.into_iter().map(|event| event.id));
    }
    assert_eq!(paged, all.events.iter().map(|event| event.id).collect::<Vec<_>>());
    server.stop().await;
}

#[tokio::test]
async fn members_see_their_workspaces_lines_and_their_own() {
    let server = Server::start().await;
    let owner = server.owner();
    let (mine, other) = (create_workspace(&owner).await, create_workspace(&owner).await);
    let membership = Some((mine.into(), Role::Read));
    let member = server.client(&server.user("m@x", OrgRole::Workspaces, membership).await);
    let me = id_of(&member).await;
    let own = create_workspace(&member).await;
    owner.remove_workspace_user().id(own).user_id(me).send().await.expect("removed");

    let seen = query(&member, json!({})).await.events;
    let of_others: Vec<_> = seen.iter().filter(|event| event.user_id != me).collect();
    assert!(of_others.iter().all(|event| event.workspace_id == Some(mine)), "{of_others:?}");
    assert_eq!(of_others.len(), 2, "made, and given a role in");
    assert!(seen.iter().any(|event| event.context_id == own), "what the caller did");
    assert_eq!(query(&member, json!({"workspaceId": other})).await.total, 0);
    let stranger = server.client(&server.other_org("other").await);
    let seen = query(&stranger, json!({})).await;
    assert_eq!(seen.total, 4, "only what made the other organisation");
    server.stop().await;
}

#[tokio::test]
async fn a_query_out_of_bounds_names_the_field() {
    let server = Server::start().await;
    let url = format!("{}/systemevent", server.url());
    for (query, word) in [
        (json!({"take": 0}), "take"),
        (json!({"take": 1001}), "take"),
        (json!({"take": -1}), "invalid value"),
        (json!({"skip": -1}), "skip"),
        (json!({"context": 14}), "context"),
        (json!({"event": 3}), "event"),
        (json!({"from_timestamp": "yesterday"}), "from_timestamp"),
    ] {
        let request = reqwest::Client::new().post(&url).bearer_auth(crate::support::OWNER_TOKEN);
        let answer = request.json(&query).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 400, "{query}");
        let answer: Value = answer.json().await.expect("JSON");
        assert!(answer["message"].as_str().expect("text").contains(word), "{answer}");
    }
    server.stop().await;
}

async fn query(client: &Client, query: Value) -> types::SystemEventPage {
    let body: types::SystemEventQuery = serde_json::from_value(query).expect("a query");
    client.list_events().body(body).send().await.expect("a page").into_inner()
}

fn say(event: &types::SystemEvent) -> String {
    format!("{} {}", event.context, event.event)
}

//! Workspaces: who makes, sees, changes and deletes them, and how roles take effect.

use repoplane::model::access::{OrgRole, Role};
use repoplane_client::{Client, types};
use uuid::Uuid;

use crate::isolation::stage::{create_repo, create_workspace, id_of};
use crate::support::Server;
use crate::support::answer::refusal;

#[tokio::test]
async fn only_the_upper_organisation_roles_create_workspaces_and_the_creator_becomes_admin() {
    let server = Server::start().await;
    for (role, may) in [
        (OrgRole::User, false),
        (OrgRole::Billing, false),
        (OrgRole::Workspaces, true),
        (OrgRole::Administrator, true),
        (OrgRole::Owner, true),
    ] {
        let email = format!("{}@x", role.as_str());
        let client = server.client(&server.user(&email, role, None).await);
        let body = types::CreateWorkspaceRequest::builder().name("Mine");
        let made = client.create_workspace().body(body).send().await;
        if !may {
            let (status, message) = refusal(made);
            assert_eq!(status, 403, "{role:?}");
            assert!(message.contains("WORKSPACES") && message.contains(role.as_str()), "{message}");
            continue;
        }
        let made = made.expect("created").into_inner().workspace;
        assert!(!made.default && made.deleted_at.is_none());
        let seen = client.get_workspace().id(made.id).send().await.expect("read").into_inner();
        let users: Vec<_> = seen.workspace.users.iter().map(|u| (u.user_id, u.role)).collect();
        assert_eq!(users, [(id_of(&client).await, types::AccessType::Admin)], "{role:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_list_holds_what_the_caller_has_a_role_in_ordered_by_name() {
    let server = Server::start().await;
    let owner = server.owner();
    let mut made = Vec::new();
    for name in ["b", "a", "C"] {
        let body = types::CreateWorkspaceRequest::builder().name(name);
        made.push(owner.create_workspace().body(body).send().await.expect("created").workspace.id);
    }
    let names = async |client: &Client| -> Vec<String> {
        let list = client.list_workspaces().send().await.expect("list").into_inner();
        list.workspaces.into_iter().map(|workspace| workspace.name).collect()
    };
    assert_eq!(names(&owner).await, ["C", "Default", "a", "b"]);
    let member =
        server.client(&server.user("m@x", OrgRole::User, Some((made[1].into(), Role::Read))).await);
    assert_eq!(names(&member).await, ["a"]);
    let all = server.client(&server.user("adm@x", OrgRole::Administrator, None).await);
    assert_eq!(names(&all).await, ["C", "Default", "a", "b"]);
    let other = server.client(&server.other_org("other").await);
    assert_eq!(names(&other).await, ["Default"]);

    owner.delete_workspace().id(made[1]).send().await.expect("deleted");
    assert_eq!(names(&owner).await, ["C", "Default", "b"]);
    assert!(names(&member).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn the_default_workspace_and_one_that_holds_something_stay() {
    let server = Server::start().await;
    let owner = server.owner();
    let list = owner.list_workspaces().send().await.expect("list").into_inner();
    let default = list.workspaces.iter().find(|workspace| workspace.default).expect("default");
    let (status, message) = refusal(owner.delete_workspace().id(default.id).send().await);
    assert_eq!(status, 400, "{message}");

    let id = create_workspace(&owner).await;
    let repo = create_repo(&owner, id).await;
    let (status, message) = refusal(owner.delete_workspace().id(id).send().await);
    assert_eq!(status, 400);
    assert!(message.contains("Delete them first"), "{message}");
    owner.get_workspace().id(id).send().await.expect("still there");

    owner.delete_source_repo().repo_id(repo).send().await.expect("repo deleted");
    owner.delete_workspace().id(id).send().await.expect("workspace deleted");
    assert_eq!(refusal(owner.get_workspace().id(id).send().await).0, 404);
    assert_eq!(refusal(owner.delete_workspace().id(id).send().await).0, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let server = Server::start().await;
    let owner = server.owner();
    let id = create_workspace(&owner).await;
    let user = server.client(&server.user("ada@x", OrgRole::User, None).await);
    let user_id = id_of(&user).await;
    let rename = async |name: &str| {
        let body = types::UpdateWorkspaceRequest::builder().name(name);
        user.update_workspace().id(id).body(body).send().await
    };
    assert_eq!(refusal(rename("1").await).0, 404);
    give(&owner, id, user_id, types::AccessType::Write).await;
    assert_eq!(refusal(rename("2").await).0, 403);
    let body = types::UpdateWorkspaceUserRequest::builder().role(types::AccessType::Admin);
    let change = owner.update_workspace_user().id(id).user_id(user_id).body(body);
    change.clone().send().await.expect("changed");
    assert_eq!(rename("3").await.expect("renamed").workspace.name, "3");
    // Giving a role again replaces the one before.
    give(&owner, id, user_id, types::AccessType::Read).await;
    assert_eq!(refusal(rename("4").await).0, 403);

    owner.remove_workspace_user().id(id).user_id(user_id).send().await.expect("removed");
    assert_eq!(refusal(rename("5").await).0, 404);
    assert_eq!(refusal(change.send().await).0, 404);
    let again = owner.remove_workspace_user().id(id).user_id(user_id).send().await;
    assert_eq!(refusal(again).0, 404);
    server.stop().await;
}

#[tokio::test]
async fn users_of_other_organisations_and_deleted_ones_get_no_role() {
    let server = Server::start().await;
    let owner = server.owner();
    let id = create_workspace(&owner).await;
    let stranger = id_of(&server.client(&server.other_org("other").await)).await;
    let add = |user: Uuid| {
        let body = types::AddWorkspaceUserRequest::builder().user_id(user);
        owner.add_workspace_user().id(id).body(body.role(types::AccessType::Read))
    };
    assert_eq!(refusal(add(stranger).send().await).0, 404);

    let membership = Some((id.into(), Role::Read));
    let gone = id_of(&server.client(&server.user("g@x", OrgRole::User, membership).await)).await;
    crate::tokens::delete_user(&server, "g@x").await;
    let body = types::UpdateWorkspaceUserRequest::builder().role(types::AccessType::Admin);
    let change = owner.update_workspace_user().id(id).user_id(gone).body(body);
    assert_eq!(refusal(change.send().await).0, 404);
    assert_eq!(refusal(add(gone).send().await).0, 404);
    server.stop().await;
}

#[tokio::test]
async fn names_have_1_to_255_characters_and_no_nul() {
    let server = Server::start().await;
    let http = reqwest::Client::new();
    let url = format!("{}/workspace", server.url());
    for (name, status) in [
        (String::new(), 400),
        ("é".to_owned(), 200),
        ("é".repeat(255), 200),
        ("é".repeat(256), 400),
        ("a\0b".to_owned(), 400),
    ] {
        let body = serde_json::json!({"name": name});
        let request = http.post(&url).bearer_auth(crate::support::OWNER_TOKEN).json(&body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{name:?}");
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        match status {
            200 => assert_eq!(answer["workspace"]["name"], name),
            _ => assert!(answer["message"].as_str().expect("message").starts_with("name: ")),
        }
    }
    server.stop().await;
}

async fn give(owner: &Client, workspace: Uuid, user: Uuid, role: types::AccessType) {
    let body = types::AddWorkspaceUserRequest::builder().user_id(user).role(role);
    owner.add_workspace_user().id(workspace).body(body).send().await.expect("role given");
}

//! A user's webhook is told what its user sees, at the time it happens.

use repoplane::model::access::{OrgRole, Role};
use repoplane_client::{Client, types};
use uuid::Uuid;

use super::{deliveries, get, set};
use crate::isolation::stage::{create_repo, create_workspace, id_of};
use crate::support::Server;
use crate::support::receiver::Receiver;
use crate::support::repo::{Repo, write};
use crate::tokens::delete_user;

/// The repos that somebody was told of, oldest event first.
async fn told(client: &Client, place: Option<Uuid>) -> Vec<Uuid> {
    let log = deliveries(client, place).await.items;
    log.iter().rev().map(|delivery| delivery.event.data.repo_id).collect()
}

#[tokio::test]
async fn a_user_is_told_of_what_they_see_and_of_nothing_else() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let receiver = Receiver::start().await;
    let (here, elsewhere) = (create_workspace(&owner).await, create_workspace(&owner).await);
    let user = async |email: &str, org_role, workspace: Option<Uuid>| {
        let membership = workspace.map(|id| (id.into(), Role::Read));
        let client = server.client(&server.user(email, org_role, membership).await);
        set(&client, None, receiver.url(), None).await.expect("set");
        client
    };
    let member = user("member@x", OrgRole::User, Some(here)).await;
    let outsider = user("outsider@x", OrgRole::Workspaces, Some(elsewhere)).await;
    let admin = user("admin@x", OrgRole::Administrator, None).await;
    let stranger = server.client(&server.other_org("elsewhere").await);
    set(&stranger, None, receiver.url(), None).await.expect("set");

    let repo = create_repo(&owner, here).await;
    let other = create_repo(&owner, elsewhere).await;
    assert_eq!(told(&member, None).await, [repo]);
    assert_eq!(told(&outsider, None).await, [other]);
    assert_eq!(told(&admin, None).await, [repo, other]);
    assert_eq!(told(&stranger, None).await, Vec::<Uuid>::new());

    // Whoever is not a member any more hears no more.
    let remove = owner.remove_workspace_user().id(here).user_id(id_of(&member).await);
    remove.send().await.expect("removed");
    let repo = Repo { client: owner.clone(), id: repo };
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    assert_eq!(told(&member, None).await, [repo.id]);
    assert_eq!(told(&admin, None).await, [repo.id, other, repo.id]);
    server.stop().await;
}

/// A user's webhook goes with its user; a repo's stays with the repo, whoever set it.
#[tokio::test]
async fn webhooks_of_users_die_with_them_and_those_of_repos_do_not() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let mut receiver = Receiver::start().await;
    let user = server.client(&server.user("gone@x", OrgRole::Administrator, None).await);
    let repo = Repo::create(&owner, &[]).await;
    set(&user, None, receiver.url(), Some("of-the-user")).await.expect("set");
    set(&user, Some(repo.id), receiver.url(), Some("of-the-repo")).await.expect("set");
    delete_user(&server, "gone@x").await;
    repo.diff(vec![write("a", "1")]).await.expect("an edit");
    assert_eq!(receiver.next().await.header("authorization"), "Bearer of-the-repo");
    assert_eq!(told(&owner, Some(repo.id)).await, [repo.id]);
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhooks")
        .fetch_one(server.services().store.read())
        .await
        .expect("a count");
    assert_eq!(left, 1);
    server.stop().await;
}

#[tokio::test]
async fn a_repos_webhook_is_for_those_who_may_write() {
    let server = Server::beside_receivers().await;
    let owner = server.owner();
    let receiver = Receiver::start().await;
    let workspace = create_workspace(&owner).await;
    let repo = create_repo(&owner, workspace).await;
    set(&owner, Some(repo), receiver.url(), None).await.expect("set");
    for (role, status) in [(Role::Read, Some(403)), (Role::Write, None)] {
        let membership = Some((workspace.into(), role));
        let email = format!("{}@x", role.as_str());
        let client = server.client(&server.user(&email, OrgRole::User, membership).await);
        let found = get(&client, Some(repo)).await.map_err(|refusal| refusal.status);
        assert_eq!(found.as_ref().err().copied(), status);
        let setting = set(&client, Some(repo), receiver.url(), None).await;
        assert_eq!(setting.err().map(|refusal| refusal.status), status);
    }
    // Of several at the same time one is left, and nobody is told that it is broken.
    let fresh = create_repo(&owner, workspace).await;
    let at_once = (0..8).map(|_| set(&owner, Some(fresh), receiver.url(), None));
    for done in futures::future::join_all(at_once).await {
        assert!(done.is_ok() || done.is_err_and(|refusal| refusal.status == 503));
    }
    let _: types::Webhook = get(&owner, Some(fresh)).await.expect("one of them");
    server.stop().await;
}

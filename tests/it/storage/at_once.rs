//! Changes that come at the same time: each alone would be right, together only one of them is.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::stage::{Answer, User, link, local, wanted, with};
use crate::support::Server;

/// Changes that come at the same time.
const MANY: usize = 8;

/// The one that was made; all others were refused for this.
fn only_one(answers: Vec<Answer<Uuid>>, expected: (u16, &str)) -> Uuid {
    let mut made = Vec::new();
    for answer in answers {
        match answer {
            Ok(id) => made.push(id),
            Err(refusal) => assert_eq!(refusal.rule(), expected),
        }
    }
    let [only] = made[..] else { panic!("{} were made", made.len()) };
    only
}

#[tokio::test]
async fn a_bucket_becomes_part_of_one_mirror_only() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let a = user.bucket("a").await;
    let asked = (0..MANY).map(|n| {
        let links = json!([link(a, &n.to_string(), true)]);
        user.create_repo(wanted(&n.to_string(), "MIRROR", links))
    });
    let rule = (400, "MIRROR_UNIT_ALREADY_IN_OTHER_REPO");
    let holder = only_one(join_all(asked).await, rule);
    let repos = user.read_bucket(a).await.expect("read").repos;
    assert_eq!(repos.iter().map(|repo| repo.id).collect::<Vec<_>>(), [holder]);
    server.stop().await;
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let rule = (400, "NAME_ALREADY_USED");
    let repos = (0..MANY).map(|_| user.create_repo(wanted("r", "NORMAL", json!([]))));
    only_one(join_all(repos).await, rule);
    // Buckets share one space of names over all workspaces.
    let mut bodies = Vec::new();
    for n in 0..MANY {
        let workspace = user.workspace(&n.to_string()).await;
        bodies.push(with(local("a"), json!({ "workspaceId": workspace })));
    }
    let buckets = bodies.into_iter().map(|body| user.create_bucket(body));
    only_one(join_all(buckets).await, rule);
    server.stop().await;
}

#[tokio::test]
async fn the_last_place_of_a_quota_is_given_once_over_all_workspaces() {
    let server = Server::start_with(|config| {
        config.limits.buckets = 1;
        config.limits.storage_repos = 1;
    })
    .await;
    let user = User::owner(&server);
    let (mut buckets, mut repos) = (Vec::new(), Vec::new());
    for n in 0..MANY {
        let name = n.to_string();
        let place = json!({ "workspaceId": user.workspace(&name).await });
        buckets.push(with(local(&name), place.clone()));
        repos.push(with(wanted(&name, "NORMAL", json!([])), place));
    }
    let rule = (429, "QUOTA_EXCEEDED");
    only_one(join_all(buckets.into_iter().map(|body| user.create_bucket(body))).await, rule);
    only_one(join_all(repos.into_iter().map(|body| user.create_repo(body))).await, rule);
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_is_taken_in_or_deleted_and_never_both() {
    let server = Server::start().await;
    let user = User::owner(&server);
    for round in 0..MANY {
        let name = round.to_string();
        let bucket = user.bucket(&name).await;
        let repo = user.create_repo(wanted(&name, "NORMAL", json!([link(bucket, "", true)])));
        let (linked, deleted) = futures::join!(repo, user.delete_bucket(bucket));
        match (linked, deleted) {
            (Ok(repo), Err(in_use)) => {
                assert_eq!(in_use.plain().0, 403);
                assert_eq!(user.read_repo(repo).await.expect("read").buckets.len(), 1);
            }
            (Err(absent), Ok(())) => assert_eq!(absent.rule(), (404, "NOT_FOUND")),
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn storage_comes_into_a_workspace_or_the_workspace_goes_and_never_both() {
    let server = Server::start().await;
    let user = User::owner(&server);
    for round in 0..MANY {
        let name = round.to_string();
        let workspace = user.workspace(&name).await;
        let place = json!({ "workspaceId": workspace });
        let bucket = user.create_bucket(with(local(&name), place));
        let delete = user.client.delete_workspace().id(workspace).send();
        let (made, deleted) = futures::join!(bucket, delete);
        assert_ne!(made.is_ok(), deleted.is_ok(), "{made:?} {deleted:?}");
    }
    server.stop().await;
}

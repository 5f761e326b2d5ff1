//! Two clients at once, of whom exactly one may win, whichever it is.

use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::Cause;
use super::served::{Answer, Served, body, caused, done};
use crate::support::Server;

const ROUNDS: usize = 40;
const NOT_FOUND: Cause = (404, Some("NOT_FOUND"));
const NAME_USED: Cause = (400, Some("NAME_ALREADY_USED"));
const ELSEWHERE: Cause = (400, Some("MIRROR_UNIT_ALREADY_IN_OTHER_REPO"));
const FOLDER_USED: Cause = (400, Some("NORMAL_UNIT_FOLDER_ALREADY_USED"));

impl Served {
    async fn new_bucket(&self, name: &str, cloud: &str) -> Answer {
        let bucket = json!({"name": name, "bucket": cloud, "storageType": "S3",
            "endpoint": self.cloud, "key": "key", "secret": "secret", "workspaceId": self.workspaces[0]});
        let body: types::CreateBucketRequest = body(bucket);
        let made = self.client.create_bucket().body(body).send().await;
        caused(made).map(|made| Some(made.bucket_id))
    }

    async fn new_repo(&self, name: &str, mode: &str, buckets: &[Uuid]) -> Answer {
        let repo = json!({"name": name, "storageType": "S3", "mode": mode,
            "workspaceId": self.workspaces[0], "repoBuckets": links(buckets)});
        let body: types::CreateStorageRepoRequest = body(repo);
        let made = self.client.create_storage_repo().body(body).send().await;
        caused(made).map(|made| Some(made.repo_id))
    }

    async fn update_repo(&self, id: Uuid, change: Value) -> Answer {
        let body: types::UpdateStorageRepoRequest = body(change);
        done(self.client.update_storage_repo().repo_id(id).body(body).send().await)
    }

    async fn link(&self, repo: (Uuid, &str), workspace: usize, buckets: &[Uuid]) -> Answer {
        let change = json!({"name": repo.1, "storageType": "S3", "mode": "MIRROR",
            "workspaceId": self.workspaces[workspace], "repoBuckets": links(buckets)});
        self.update_repo(repo.0, change).await
    }

    async fn update_bucket(&self, id: Uuid, change: Value) -> Answer {
        let body: types::UpdateBucketRequest = body(change);
        done(self.client.update_bucket().bucket_id(id).body(body).send().await)
    }

    async fn delete_bucket(&self, id: Uuid) -> Answer {
        done(self.client.delete_bucket().bucket_id(id).send().await)
    }

    async fn delete_repo(&self, id: Uuid) {
        done(self.client.delete_storage_repo().repo_id(id).send().await).expect("deleted");
    }
}

fn links(buckets: &[Uuid]) -> Value {
    let link = |(place, id): (usize, &Uuid)| json!({"bucketId": id, "master": place == 0});
    buckets.iter().enumerate().map(link).collect()
}

fn id(answer: Answer) -> Uuid {
    answer.expect("made").expect("an id")
}

async fn stage() -> (Server, Served) {
    let (server, cloud) = Server::beside_a_cloud().await;
    let served = Served::start(server.owner(), &cloud.url).await;
    (server, served)
}

/// Exactly one won, and the other one lost for this cause.
#[track_caller]
fn one_wins(answers: [Answer; 2], lost: [Cause; 2]) {
    match answers {
        [Ok(_), Err(cause)] => assert_eq!(cause, lost[1]),
        [Err(cause), Ok(_)] => assert_eq!(cause, lost[0]),
        both => panic!("{both:?}"),
    }
}

#[tokio::test]
async fn a_bucket_gets_into_one_of_two_mirrors() {
    let (server, storage) = stage().await;
    let bucket = id(storage.new_bucket("b", "b").await);
    let [one, two] =
        [storage.new_repo("1", "MIRROR", &[]).await, storage.new_repo("2", "MIRROR", &[]).await];
    let (one, two) = ((id(one), "1"), (id(two), "2"));
    for _ in 0..ROUNDS {
        let buckets = [bucket];
        let answers = tokio::join!(storage.link(one, 0, &buckets), storage.link(two, 0, &buckets));
        one_wins(answers.into(), [ELSEWHERE; 2]);
        for repo in [one, two] {
            storage.link(repo, 0, &[]).await.expect("detached");
        }
        let made = tokio::join!(
            storage.new_repo("3", "MIRROR", &buckets),
            storage.new_repo("4", "NORMAL", &buckets),
        );
        let made = <[Answer; 2]>::from(made);
        one_wins(made, [ELSEWHERE; 2]);
        storage.delete_repo(made.into_iter().find_map(Result::ok).flatten().expect("one")).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_name_goes_to_one_of_two() {
    let (server, storage) = stage().await;
    let (old, older) = (
        id(storage.new_repo("old", "NORMAL", &[]).await),
        id(storage.new_bucket("old", "b").await),
    );
    for round in 0..ROUNDS {
        let name = format!("name {round}");
        let repos = tokio::join!(
            storage.new_repo(&name, "NORMAL", &[]),
            storage.new_repo(&name, "MIRROR", &[]),
        );
        one_wins(repos.into(), [NAME_USED; 2]);
        let buckets = tokio::join!(storage.new_bucket(&name, "b"), storage.new_bucket(&name, "c"));
        one_wins(buckets.into(), [NAME_USED; 2]);

        let name = format!("renamed {round}");
        let change = json!({"name": name, "storageType": "S3", "mode": "NORMAL"});
        let repos =
            tokio::join!(storage.update_repo(old, change), storage.new_repo(&name, "NORMAL", &[]),);
        one_wins(repos.into(), [NAME_USED; 2]);
        let change = json!({"name": name});
        let buckets =
            tokio::join!(storage.update_bucket(older, change), storage.new_bucket(&name, "b"));
        one_wins(buckets.into(), [NAME_USED; 2]);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_is_linked_or_deleted_or_moved() {
    let (server, storage) = stage().await;
    let repo = (id(storage.new_repo("r", "MIRROR", &[]).await), "r");
    for round in 0..ROUNDS {
        let bucket = id(storage.new_bucket(&format!("deleted {round}"), "b").await);
        let buckets = [bucket];
        let answers = tokio::join!(storage.link(repo, 0, &buckets), storage.delete_bucket(bucket));
        one_wins(answers.into(), [NOT_FOUND, (403, None)]);
        storage.link(repo, 0, &[]).await.expect("detached");

        let bucket = id(storage.new_bucket(&format!("moved {round}"), "b").await);
        let buckets = [bucket];
        let there = json!({"workspaceId": storage.workspaces[1]});
        let answers =
            tokio::join!(storage.link(repo, 0, &buckets), storage.update_bucket(bucket, there));
        one_wins(answers.into(), [NOT_FOUND, (400, None)]);
        storage.link(repo, 0, &[]).await.expect("detached");
    }
    server.stop().await;
}

/// Whoever deletes it may have seen it where it no longer is.
#[tokio::test]
async fn a_bucket_that_moves_is_linked_or_deleted() {
    let (server, storage) = stage().await;
    let repo = (id(storage.new_repo("r", "MIRROR", &[]).await), "r");
    storage.link(repo, 1, &[]).await.expect("moved");
    for round in 0..ROUNDS {
        let bucket = id(storage.new_bucket(&format!("moved {round}"), "b").await);
        let move_and_link = async {
            let there = json!({"workspaceId": storage.workspaces[1]});
            storage.update_bucket(bucket, there).await?;
            storage.link(repo, 1, &[bucket]).await
        };
        let (linked, deleted) = tokio::join!(move_and_link, storage.delete_bucket(bucket));
        assert_ne!(linked.is_ok(), deleted.is_ok(), "{linked:?}, {deleted:?}");
        storage.link(repo, 1, &[]).await.expect("detached");
    }
    server.stop().await;
}

#[tokio::test]
async fn two_buckets_of_a_normal_repo_get_one_name_at_most_once() {
    let (server, storage) = stage().await;
    let (one, two) =
        (id(storage.new_bucket("1", "one").await), id(storage.new_bucket("2", "two").await));
    storage.new_repo("r", "NORMAL", &[one, two]).await.expect("made");
    for round in 0..ROUNDS {
        let cloud = json!({"bucket": format!("cloud{round}")});
        let answers = tokio::join!(
            storage.update_bucket(one, cloud.clone()),
            storage.update_bucket(two, cloud),
        );
        one_wins(answers.into(), [FOLDER_USED; 2]);
    }
    server.stop().await;
}

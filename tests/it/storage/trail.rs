//! What the audit log tells of storage: one line per change, and what a bucket's change means for
//! the storage repos that hold it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, link, local, wanted, with};
use crate::support::Server;

/// The log as its reader has seen it so far.
struct Trail<'a> {
    user: &'a User,
    seen: u64,
}

impl<'a> Trail<'a> {
    async fn begin(user: &'a User) -> Self {
        let mut trail = Self { user, seen: 0 };
        trail.new_lines().await;
        trail
    }

    /// Oldest first.
    async fn new_lines(&mut self) -> Vec<Value> {
        let (status, page) = self.user.send("POST", "/systemevent", json!({})).await;
        assert_eq!(status, 200, "{page}");
        let total = page["total"].as_u64().expect("a number");
        let new = usize::try_from(total - self.seen).expect("a small number");
        self.seen = total;
        let mut lines = page["events"].as_array().expect("a list")[..new].to_vec();
        lines.reverse();
        lines
    }

    /// Since the last look there are these new lines: what changed how, and its id.
    async fn expect(&mut self, expected: &[(&str, Uuid)]) -> Vec<Value> {
        let lines = self.new_lines().await;
        let words = |line: &Value, field: &str| line[field].as_str().expect("text").to_owned();
        let said: Vec<_> = lines
            .iter()
            .map(|line| {
                let id: Uuid = words(line, "contextId").parse().expect("an id");
                (format!("{} {}", words(line, "context"), words(line, "event")), id)
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(words, id)| ((*words).to_owned(), *id)).collect();
        assert_eq!(said, expected);
        lines
    }

    /// The newest line of a kind has this number, names the thing, and says this.
    async fn newest(&self, context: u32, id: Uuid, details: Value) {
        let query = json!({ "context": context, "contextId": id, "take": 1 });
        let (_, page) = self.user.send("POST", "/systemevent", query).await;
        let told = page["events"][0]["jsonData"].as_str().expect("details");
        let told: Value = serde_json::from_str(told).expect("JSON");
        assert_eq!(told, details, "context {context}");
    }
}

#[tokio::test]
async fn a_changed_place_or_credential_is_told_to_every_storage_repo_that_holds_the_bucket() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let first = user.repo("1", "NORMAL", json!([link(a, "x", true), link(b, "", false)])).await;
    let second = user.repo("2", "NORMAL", json!([link(a, "y", true)])).await;
    user.repo("3", "NORMAL", json!([link(b, "y", true)])).await;
    let mut trail = Trail::begin(&user).await;
    let told = [("bucket updated", a), ("repo updated", first), ("repo updated", second)];
    for change in [
        json!({ "endpoint": "file:disk2" }),
        json!({ "bucket": "elsewhere" }),
        json!({ "storageType": "GCS" }),
        json!({ "region": "eu-west-1" }),
        json!({ "key": "AK" }),
        json!({ "secret": "first-plain-text" }),
        json!({ "secret": "second-plain-text" }),
        json!({ "name": "c", "key": "" }),
    ] {
        let answer = user.change_bucket(a, change.clone()).await.expect("changed");
        assert!(answer.latency_ms.is_some(), "it was reached: {change}");
        for line in &trail.expect(&told).await[1..] {
            let details = line["jsonData"].as_str().expect("details");
            assert!(details.contains(&a.to_string()), "{details}");
            assert!(!details.contains("plain-text"), "{details}");
        }
    }
    for change in [
        json!({ "name": "renamed" }),
        json!({ "endpoint": "file:disk2", "bucket": "elsewhere", "region": "eu-west-1" }),
        json!({ "secret": "second-plain-text" }),
        json!({ "secret": "", "walletAddress": "G", "projectId": "p" }),
        json!({}),
    ] {
        let answer = user.change_bucket(a, change.clone()).await.expect("changed");
        assert!(answer.status.is_none() && answer.latency_ms.is_none(), "{change}");
        trail.expect(&[("bucket updated", a)]).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_left_as_it_was_and_nobody_is_told() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let a = user.bucket("a").await;
    user.repo("r", "NORMAL", json!([link(a, "x", true)])).await;
    let before = user.state().await;
    let unreachable = json!({ "endpoint": "https://127.0.0.1:1", "key": "k", "secret": "s" });
    let refusal = user.change_bucket(a, unreachable.clone()).await.expect_err("not reached");
    assert_eq!(refusal.plain().0, 400);
    let new = with(local("b"), unreachable);
    assert_eq!(user.create_bucket(new).await.expect_err("not reached").plain().0, 400);
    assert_eq!(before, user.state().await);
    server.stop().await;
}

#[tokio::test]
async fn each_change_of_storage_writes_one_line_in_its_context() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let mut trail = Trail::begin(&user).await;

    let bucket = user.bucket("a").await;
    trail.expect(&[("bucket created", bucket)]).await;
    trail.newest(1, bucket, json!({ "name": "a" })).await;
    user.change_bucket(bucket, json!({ "name": "b" })).await.expect("changed");
    trail.expect(&[("bucket updated", bucket)]).await;
    trail.newest(1, bucket, json!({ "name": "b" })).await;

    let repo = user.repo("r", "NORMAL", json!([])).await;
    trail.expect(&[("repo created", repo)]).await;
    trail.newest(2, repo, json!({ "name": "r", "mode": "NORMAL" })).await;
    user.change_repo(repo, wanted("s", "MIRROR", json!([]))).await.expect("changed");
    trail.expect(&[("repo updated", repo)]).await;
    trail.newest(2, repo, json!({ "name": "s", "mode": "MIRROR" })).await;

    let key = user.access_key(repo, "READ").await.expect("made");
    trail.expect(&[("apikey created", key)]).await;
    let path = format!("/repo/{repo}/apikey/{key}");
    user.send("PUT", &path, json!({ "name": "k", "accessType": "WRITE" })).await;
    trail.expect(&[("apikey updated", key)]).await;
    trail.newest(6, key, json!({ "name": "k", "accessType": "WRITE", "repoId": repo })).await;
    user.send("DELETE", &path, Value::Null).await;
    trail.expect(&[("apikey deleted", key)]).await;

    let llm = user.ai_llm("llm").await;
    trail.expect(&[("aillm created", llm)]).await;
    let path = format!("/ai/llm/{llm}");
    user.send("PUT", &path, json!({ "name": "renamed" })).await;
    trail.expect(&[("aillm updated", llm)]).await;
    trail.newest(11, llm, json!({ "name": "renamed" })).await;
    user.send("DELETE", &path, Value::Null).await;
    trail.expect(&[("aillm deleted", llm)]).await;

    let ai_key = user.ai_key(repo).await;
    trail.expect(&[("aillmapikey created", ai_key)]).await;
    let path = format!("/repo/{repo}/ai/apikey/{ai_key}");
    user.send("PUT", &path, json!({ "name": "renamed" })).await;
    trail.expect(&[("aillmapikey updated", ai_key)]).await;
    trail.newest(12, ai_key, json!({ "name": "renamed", "repoId": repo })).await;
    user.send("PUT", &path, json!({})).await;
    trail.expect(&[]).await;
    user.send("DELETE", &path, Value::Null).await;
    trail.expect(&[("aillmapikey deleted", ai_key)]).await;

    user.delete_repo(repo).await.expect("deleted");
    trail.expect(&[("repo deleted", repo)]).await;
    user.delete_bucket(bucket).await.expect("deleted");
    trail.expect(&[("bucket deleted", bucket)]).await;
    server.stop().await;
}

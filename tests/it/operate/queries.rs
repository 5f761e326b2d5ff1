//! How often the database is asked. The server's own log tells.

use repoplane_client::types;
use serde_json::{Value, json};

use super::process::Place;

const TOKEN: &str = "rlc-operatoroperatoroperatoroperator";
/// For who is asking, and for the page with all that is in it; one is to spare.
const QUERIES_MAX: usize = 3;

#[tokio::test]
async fn a_page_of_storage_repos_costs_the_same_few_queries_whatever_its_size() {
    let mut place = Place::new();
    place.set("REPOPLANE_BOOTSTRAP_TOKEN", TOKEN);
    place.set("REPOPLANE_LOG__LEVEL", "info,sqlx::query=debug");
    let server = place.serve().await;
    let owner = server.client(TOKEN);
    for repo in 0..12 {
        let mut members = Vec::new();
        for bucket in 0..3 {
            let body = json!({"name": format!("{repo} {bucket}"), "bucket": "objects",
                "storageType": "S3", "endpoint": "file:disk"});
            let body: types::CreateBucketRequest = serde_json::from_value(body).expect("a bucket");
            let made = owner.create_bucket().body(body).send().await.expect("created");
            members.push(json!({"bucketId": made.bucket_id, "master": bucket == 0}));
        }
        let body = json!({"name": repo.to_string(), "storageType": "S3", "mode": "MIRROR",
            "repoBuckets": members});
        let body: types::CreateStorageRepoRequest = serde_json::from_value(body).expect("a repo");
        let made = owner.create_storage_repo().body(body).send().await.expect("created").repo_id;
        let key = json!({"name": "key", "accessType": "READ"});
        let key: types::CreateAccessKeyRequest = serde_json::from_value(key).expect("a key");
        owner.create_access_key().repo_id(made).body(key).send().await.expect("created");
    }
    for limit in [1, 5, 12] {
        let url = format!("{}/repo?limit={limit}", server.url);
        let request = reqwest::Client::new().get(url).bearer_auth(TOKEN);
        let request = request.header("x-request-id", format!("page-of-{limit:02}"));
        let page: Value = request.send().await.expect("answered").json().await.expect("JSON");
        assert_eq!(page["repos"].as_array().expect("repos").len(), limit);
        assert_eq!(page["repos"][0]["buckets"].as_array().expect("buckets").len(), 3);
    }
    let (_, log) = server.stop().await;
    for limit in [1, 5, 12] {
        let id = format!("page-of-{limit:02}");
        let own = log.iter().filter(|entry| entry.to_string().contains(&id));
        let queries = own.filter(|entry| entry["target"] == "sqlx::query").count();
        assert!((1..=QUERIES_MAX).contains(&queries), "{queries} queries for {limit} repos");
    }
}

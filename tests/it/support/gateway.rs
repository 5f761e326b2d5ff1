//! A server with its S3 gateway, a storage repo on local disks, and access keys to it.

pub mod sign;
pub mod wire;

use std::net::SocketAddr;

use repoplane::config::{Config, S3Listen};
use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Server;
pub use sign::{Ask, Key};
pub use wire::{Answer, Wire};

pub struct Gateway {
    pub server: Server,
    pub repo: Uuid,
    /// With ADMIN.
    pub key: Key,
}

impl Gateway {
    /// A MIRROR repo with the buckets `b1`, which is the primary, and `b2`.
    pub async fn start() -> Self {
        Self::start_with("MIRROR", |_| {}).await
    }

    pub async fn start_with(mode: &str, change: impl FnOnce(&mut Config)) -> Self {
        let server = Server::start_with(|config| {
            config.s3_listen = S3Listen(Some(SocketAddr::from(([127, 0, 0, 1], 0))));
            change(config);
        })
        .await;
        let mut links = vec![];
        for (name, master) in [("b1", true), ("b2", false)] {
            let bucket = bucket(&server, name, "disk").await;
            links.push(json!({ "bucketId": bucket, "folder": "", "master": master }));
        }
        let repo = repo(&server, "repo", mode, json!(links)).await;
        let key = key(&server, repo, "ADMIN").await;
        let gateway = Self { server, repo, key };
        for bucket in ["/b1", "/b2"] {
            // Waits until it is known what was in the bucket.
            let list = gateway.ask("GET", bucket).send().await;
            assert_eq!(list.status, 200, "{}", list.text());
        }
        gateway
    }

    pub fn address(&self) -> SocketAddr {
        self.server.s3_address()
    }

    /// Another access key to the storage repo.
    pub async fn another(&self, access: &str) -> Key {
        key(&self.server, self.repo, access).await
    }

    /// A request that is going to be signed with the key that may do anything.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        self.ask_with(&self.key, method, path)
    }

    pub fn ask_with(&self, key: &Key, method: &str, path: &str) -> Ask {
        Ask::new(self.address(), key, method, path)
    }

    /// Changes the storage repo.
    pub async fn change(&self, body: Value) {
        let body: types::UpdateStorageRepoRequest = typed(body);
        let owner = self.server.owner();
        let changed = owner.update_storage_repo().repo_id(self.repo).body(body).send().await;
        changed.expect("a change that is taken");
    }

    /// Writes an object that has to be taken.
    pub async fn put(&self, path: &str, content: &str) -> Answer {
        let answer = self.ask("PUT", path).body(content).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    /// The content of an object that has to be there.
    pub async fn read(&self, path: &str) -> String {
        let answer = self.ask("GET", path).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text().to_owned()
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

pub async fn bucket(server: &Server, name: &str, disk: &str) -> Uuid {
    let body = json!({ "name": name, "storageType": "S3", "bucket": name,
        "endpoint": format!("file:{disk}") });
    let body: types::CreateBucketRequest = typed(body);
    server.owner().create_bucket().body(body).send().await.expect("a bucket").bucket_id
}

pub async fn repo(server: &Server, name: &str, mode: &str, links: Value) -> Uuid {
    let body = json!({ "name": name, "storageType": "S3", "mode": mode, "repoBuckets": links });
    let body: types::CreateStorageRepoRequest = typed(body);
    server.owner().create_storage_repo().body(body).send().await.expect("a storage repo").repo_id
}

pub async fn key(server: &Server, repo: Uuid, access: &str) -> Key {
    let body: types::CreateAccessKeyRequest =
        typed(json!({ "name": access, "accessType": access }));
    let made = server.owner().create_access_key().repo_id(repo).body(body).send().await;
    let made = made.expect("an access key").into_inner();
    Key { id: made.id, access: made.key, secret: made.secret }
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a body the client can send")
}

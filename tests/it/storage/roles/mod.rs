//! Who may do what with storage, and what each sees of it.

mod members;
mod workspaces;

use repoplane::model::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, link, local, wanted, with};
use crate::support::Server;

/// The lists, each of which shows only what the caller can see.
const LISTS: [&str; 4] = ["/repo", "/bucket", "/bucket/available", "/ai/llm"];

/// One workspace with one of everything, and what its members may do there.
pub struct Scene {
    pub server: Server,
    pub owner: User,
    pub workspace: Uuid,
    pub bucket: Uuid,
    pub repo: Uuid,
    pub key: Uuid,
    pub ai_key: Uuid,
    pub llm: Uuid,
}

impl Scene {
    pub async fn start() -> Self {
        let server = Server::start().await;
        let owner = User::owner(&server);
        let workspace = owner.workspace("shared").await;
        let here = json!({ "workspaceId": workspace });
        let bucket = owner.create_bucket(with(local("bucket"), here.clone())).await.expect("made");
        let body = with(wanted("repo", "NORMAL", json!([link(bucket, "", true)])), here);
        let repo = owner.create_repo(body).await.expect("made");
        let key = owner.access_key(repo, "READ").await.expect("made");
        let ai_key = owner.ai_key(repo).await;
        let body = json!({ "name": "llm", "aiType": "OPENAI", "workspaceId": workspace });
        let llm = owner.send("POST", "/ai/llm", body).await.1["aiLlmId"].clone();
        let llm = llm.as_str().expect("an id").parse().expect("a UUID");
        Self { server, owner, workspace, bucket, repo, key, ai_key, llm }
    }

    /// Every change there is, in an order in which each can be made.
    pub fn changes(&self) -> Vec<(&'static str, String, Value)> {
        let Self { workspace, bucket, repo, key, ai_key, llm, .. } = self;
        let here = json!({ "workspaceId": workspace });
        let (named, read) = (json!({ "name": "n", "aiType": "OPENAI" }), "READ");
        let access = json!({ "name": "n", "accessType": read });
        vec![
            ("POST", "/bucket".into(), with(local("new"), here.clone())),
            ("PUT", format!("/bucket/{bucket}"), json!({ "name": "renamed" })),
            ("POST", format!("/bucket/{bucket}/validate"), Value::Null),
            ("POST", "/ai/llm".into(), with(named.clone(), here.clone())),
            ("PUT", format!("/ai/llm/{llm}"), json!({ "name": "renamed" })),
            ("POST", "/repo".into(), with(wanted("new", "NORMAL", json!([])), here)),
            ("POST", format!("/repo/{repo}/apikey"), access.clone()),
            ("PUT", format!("/repo/{repo}/apikey/{key}"), access),
            ("DELETE", format!("/repo/{repo}/apikey/{key}"), Value::Null),
            ("POST", format!("/repo/{repo}/ai/apikey"), named),
            ("PUT", format!("/repo/{repo}/ai/apikey/{ai_key}"), json!({ "name": "n" })),
            ("DELETE", format!("/repo/{repo}/ai/apikey/{ai_key}"), Value::Null),
            (
                "PUT",
                format!("/repo/{repo}"),
                json!({ "name": "n", "storageType": "S3", "mode": "NORMAL" }),
            ),
            ("DELETE", format!("/repo/{repo}"), Value::Null),
            ("DELETE", format!("/bucket/{bucket}"), Value::Null),
            ("DELETE", format!("/ai/llm/{llm}"), Value::Null),
        ]
    }

    /// Every read of one thing.
    pub fn reads(&self) -> Vec<(&'static str, String, Value)> {
        let Self { bucket, repo, .. } = self;
        vec![
            ("GET", format!("/bucket/{bucket}"), Value::Null),
            ("GET", format!("/bucket/{bucket}/status"), Value::Null),
            ("GET", format!("/repo/{repo}"), Value::Null),
            ("GET", format!("/repo/{repo}/apikey"), Value::Null),
            ("GET", format!("/repo/{repo}/ai/apikey"), Value::Null),
            ("POST", format!("/repo/{repo}/validate"), json!({ "mode": "NORMAL" })),
        ]
    }

    pub async fn member(&self, role: Role) -> User {
        User::member(&self.server, self.workspace, role).await
    }
}

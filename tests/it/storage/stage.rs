//! Somebody who works with storage, and short words for what the tests keep asking of the server.

use repoplane::model::access::{OrgRole, Role};
use repoplane_client::{Client, Error, ResponseValue, types};
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::empty_cloud::EmptyCloud;
use crate::support::{OWNER_TOKEN, Server};

pub struct User {
    pub client: Client,
    url: String,
    token: String,
}

/// What the server said instead of doing what it was asked.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub headers: Box<HeaderMap>,
    pub error: Box<types::StorageError>,
}

pub type Answer<T = ()> = Result<T, Refusal>;

impl User {
    pub fn owner(server: &Server) -> Self {
        Self::of(server, OWNER_TOKEN)
    }

    pub fn of(server: &Server, token: &str) -> Self {
        Self { client: server.client(token), url: server.url(), token: token.to_owned() }
    }

    /// A new member of one workspace.
    pub async fn member(server: &Server, workspace: Uuid, role: Role) -> Self {
        let email = format!("{}@{workspace}", role.as_str());
        let membership = Some((workspace.into(), role));
        Self::of(server, &server.user(&email, OrgRole::User, membership).await)
    }

    pub async fn workspace(&self, name: &str) -> Uuid {
        let body = types::CreateWorkspaceRequest::builder().name(name);
        let made = self.client.create_workspace().body(body).send().await;
        made.expect("workspace").workspace.id
    }

    /// A bucket that is called the same here and on its local disk.
    pub async fn bucket(&self, name: &str) -> Uuid {
        self.create_bucket(local(name)).await.expect("a bucket")
    }

    pub async fn create_bucket(&self, body: Value) -> Answer<Uuid> {
        let body: types::CreateBucketRequest = typed(body);
        let made = answer(self.client.create_bucket().body(body).send().await);
        made.map(|made| made.bucket_id)
    }

    pub async fn change_bucket(
        &self,
        id: Uuid,
        body: Value,
    ) -> Answer<types::BucketChangeResponse> {
        let body: types::UpdateBucketRequest = typed(body);
        answer(self.client.update_bucket().bucket_id(id).body(body).send().await)
    }

    pub async fn read_bucket(&self, id: Uuid) -> Answer<types::Bucket> {
        let found = answer(self.client.get_bucket().bucket_id(id).send().await);
        found.map(|found| found.bucket)
    }

    pub async fn delete_bucket(&self, id: Uuid) -> Answer {
        answer(self.client.delete_bucket().bucket_id(id).send().await).map(drop)
    }

    pub async fn ai_llm(&self, name: &str) -> Uuid {
        let body = json!({ "name": name, "aiType": "OPENAI", "key": "sk-0123456789" });
        let made = self.client.create_ai_llm().body(typed::<types::CreateAiLlmRequest>(body));
        made.send().await.expect("an AI LLM").ai_llm_id
    }

    /// A storage repo with these buckets.
    pub async fn repo(&self, name: &str, mode: &str, links: Value) -> Uuid {
        self.create_repo(wanted(name, mode, links)).await.expect("a storage repo")
    }

    pub async fn create_repo(&self, body: Value) -> Answer<Uuid> {
        let body: types::CreateStorageRepoRequest = typed(body);
        let made = answer(self.client.create_storage_repo().body(body).send().await);
        made.map(|made| made.repo_id)
    }

    pub async fn change_repo(
        &self,
        id: Uuid,
        body: Value,
    ) -> Answer<types::StorageRepoUpdateResponse> {
        let body: types::UpdateStorageRepoRequest = typed(body);
        answer(self.client.update_storage_repo().repo_id(id).body(body).send().await)
    }

    pub async fn read_repo(&self, id: Uuid) -> Answer<types::StorageRepo> {
        let found = answer(self.client.get_storage_repo().repo_id(id).send().await);
        found.map(|found| found.repo)
    }

    pub async fn delete_repo(&self, id: Uuid) -> Answer {
        answer(self.client.delete_storage_repo().repo_id(id).send().await).map(drop)
    }

    pub async fn access_key(&self, repo: Uuid, access: &str) -> Answer<Uuid> {
        let body: types::CreateAccessKeyRequest =
            typed(json!({ "name": "key", "accessType": access }));
        let made = answer(self.client.create_access_key().repo_id(repo).body(body).send().await);
        made.map(|made| made.id)
    }

    pub async fn delete_access_key(&self, repo: Uuid, id: Uuid) -> Answer {
        let delete = self.client.delete_access_key().repo_id(repo).key_id(id);
        answer(delete.send().await).map(drop)
    }

    pub async fn ai_key(&self, repo: Uuid) -> Uuid {
        let body: types::CreateAiKeyRequest = typed(json!({ "name": "key", "aiType": "OPENAI" }));
        let made = self.client.create_ai_key().repo_id(repo).body(body).send().await;
        made.expect("an AI API key").id
    }

    /// A request as it goes over the wire; `null` sends no body.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.bare(method, path);
        if body.is_null() { request } else { request.json(body) }
    }

    /// A request that says exactly these bytes.
    pub fn bytes(&self, method: &str, path: &str, body: &'static str) -> reqwest::RequestBuilder {
        self.bare(method, path).header("content-type", "application/json").body(body)
    }

    fn bare(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.token)
    }

    /// Status and body of the answer.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        sent(self.request(method, path, &body)).await
    }

    /// What a request has to be answered that has to succeed.
    pub async fn read(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The names in a list, in its order.
    pub async fn names(&self, path: &str) -> Vec<String> {
        let body = self.read(path).await;
        let list = ["repos", "buckets", "aiLlms"].iter().find_map(|field| body.get(field));
        let list = list.unwrap_or(&body).as_array().expect("a list");
        list.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// All that a refused request could have changed.
    pub async fn state(&self) -> (Value, Value, Value, Value) {
        let (_, events) = self.send("POST", "/systemevent", json!({ "take": 1 })).await;
        let (repos, buckets) = (self.read("/repo").await, self.read("/bucket").await);
        (repos, buckets, self.read("/ai/llm").await, events)
    }
}

impl Refusal {
    /// Status and error code of a rule that was broken.
    pub fn rule(&self) -> (u16, &str) {
        let code = self.error.error_code.as_deref().unwrap_or_default();
        assert_eq!(self.error.error_message.as_ref(), Some(&self.error.message), "{code}");
        (self.status, code)
    }

    /// Status and message of what breaks no rule that has a code.
    pub fn plain(&self) -> (u16, &str) {
        assert_eq!(self.error.error_code, None, "{}", self.error.message);
        (self.status, &self.error.message)
    }
}

pub async fn sent(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// The bucket `name` on a local disk.
pub fn local(name: &str) -> Value {
    json!({ "name": name, "storageType": "S3", "bucket": name, "endpoint": "file:disk1" })
}

/// The bucket `name` in a cloud, since those on a disk stay in their workspace.
pub fn abroad(name: &str, cloud: &EmptyCloud) -> Value {
    json!({ "name": name, "storageType": "S3", "bucket": name, "endpoint": cloud.url,
        "key": "key", "secret": "secret" })
}

pub fn wanted(name: &str, mode: &str, links: Value) -> Value {
    json!({ "name": name, "storageType": "S3", "mode": mode, "repoBuckets": links })
}

pub fn link(bucket: Uuid, folder: &str, master: bool) -> Value {
    json!({ "bucketId": bucket, "folder": folder, "master": master })
}

/// `body` with more fields, or other values in those it has.
pub fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object") };
    body.as_object_mut().expect("an object").extend(more);
    body
}

pub fn answer<T>(sent: Result<ResponseValue<T>, Error<types::StorageError>>) -> Answer<T> {
    match sent {
        Ok(value) => Ok(value.into_inner()),
        Err(Error::ErrorResponse(refusal)) => Err(Refusal {
            status: refusal.status().as_u16(),
            headers: Box::new(refusal.headers().clone()),
            error: Box::new(refusal.into_inner()),
        }),
        Err(other) => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

pub fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a body the client can send")
}

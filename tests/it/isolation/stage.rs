//! A server with one user of each kind, and fresh things for them to act on.

use repoplane::model::access::{OrgRole, Role};
use repoplane::model::source_import::SourceImport;
use repoplane::model::time::Timestamp;
use repoplane::service::operator;
use repoplane::service::tokens::Scope;
use repoplane::store::source_imports;
use repoplane_client::{Client, types};
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;

use crate::operations::{Targets, webhook};
use crate::support::receiver::Receiver;
use crate::support::{OWNER_TOKEN, Server};

pub struct Stage {
    pub server: Server,
    pub reader: String,
    pub writer: String,
    pub admin: String,
    pub outsider: String,
    pub other_org: String,
    pub revoked: String,
    pub expired: String,
    pub repo_token_elsewhere: String,
    /// Users with the roles of their place.
    roles: [(Uuid, types::AccessType); 4],
    candidate: Uuid,
    /// Hears what webhooks are told.
    receiver: Receiver,
}

/// What one round of calls is about.
pub struct Props {
    pub targets: Targets,
    pub reader_repo_token: String,
    pub admin_repo_token: String,
}

const OWNER: &str = "owner@localhost";

impl Stage {
    pub async fn start() -> Self {
        let (server, receiver) = (Server::beside_receivers().await, Receiver::start().await);
        let owner = server.owner();
        let user = async |email: &str| server.user(email, OrgRole::User, None).await;
        let (reader, writer) = (user("reader@x").await, user("writer@x").await);
        let (admin, member) = (user("admin@x").await, user("member@x").await);
        let candidate = id_of(&server.client(&user("candidate@x").await)).await;
        let elsewhere = create_workspace(&owner).await;
        let membership = Some((elsewhere.into(), Role::Admin));
        let outsider = server.user("outsider@x", OrgRole::User, membership).await;
        let other_org = server.other_org("elsewhere").await;
        let repo = create_repo(&owner, elsewhere).await;

        let (token, revoked) = token(&server, OWNER, &Scope::default()).await;
        owner.revoke_token().id(token).send().await.expect("revoked");
        let past = Timestamp::from_micros(Timestamp::now().micros() - 1);
        let scope = Scope { expires_at: Some(past), ..Scope::default() };
        let (_, expired) = self::token(&server, OWNER, &scope).await;
        let scope = Scope { repos: vec![repo.into()], ..Scope::default() };
        let (_, repo_token_elsewhere) = self::token(&server, OWNER, &scope).await;

        for token in [&reader, &writer, &admin, &outsider, &other_org] {
            set_webhook(&server.client(token), receiver.port()).await;
        }
        use types::AccessType::{Admin, Read, Write};
        let id = async |token: &str| id_of(&server.client(token)).await;
        let roles = [
            (id(&reader).await, Read),
            (id(&writer).await, Write),
            (id(&admin).await, Admin),
            (id(&member).await, Read),
        ];
        Self {
            reader,
            writer,
            admin,
            outsider,
            other_org,
            revoked,
            expired,
            repo_token_elsewhere,
            roles,
            candidate,
            receiver,
            server,
        }
    }

    /// Two workspaces with all the roles given, one of them with a repo, and a token.
    pub async fn prepare(&self) -> Props {
        let owner = self.server.owner();
        let (workspace, empty_workspace) =
            (create_workspace(&owner).await, create_workspace(&owner).await);
        // Before anybody else sees the workspace, so that only the owner is told of it.
        set_webhook(&owner, self.receiver.port()).await;
        let repo = create_repo(&owner, workspace).await;
        let delivery = owner.list_webhook_deliveries().send().await.expect("a log").items[0].id;
        for id in [workspace, empty_workspace] {
            for (user, role) in self.roles {
                let body = types::AddWorkspaceUserRequest::builder().user_id(user).role(role);
                owner.add_workspace_user().id(id).body(body).send().await.expect("added");
            }
        }
        let head = owner.get_source_repo().repo_id(repo).send().await.expect("repo");
        let spare: types::CreateBranchRequest = body(json!({"name": "spare"}));
        owner.create_branch().repo_id(repo).body(spare).send().await.expect("branch");
        let repo_delivery = told_of(&owner, repo, self.receiver.port()).await;
        let scope = Scope { repos: vec![repo.into()], ..Scope::default() };
        let (repo_token, _) = token(&self.server, OWNER, &scope).await;
        let (_, reader_repo_token) = token(&self.server, "reader@x", &scope).await;
        let (_, admin_repo_token) = token(&self.server, "admin@x", &scope).await;
        let (token, _) = token(&self.server, OWNER, &Scope::default()).await;
        let (member, candidate) = (self.roles[3].0, self.candidate);
        let (bucket, free_bucket) =
            (create_bucket(&owner, workspace).await, create_bucket(&owner, workspace).await);
        let storage_repo = create_storage_repo(&owner, workspace, bucket).await;
        let access_key = json!({"name": "stage", "accessType": "READ"});
        let ai_key = json!({"name": "stage", "aiType": "AWS"});
        let ai_llm = json!({"name": "stage", "aiType": "AWS", "workspaceId": workspace});
        let access_key = owner
            .create_access_key()
            .repo_id(storage_repo)
            .body(body::<types::CreateAccessKeyRequest>(access_key));
        let ai_key = owner
            .create_ai_key()
            .repo_id(storage_repo)
            .body(body::<types::CreateAiKeyRequest>(ai_key));
        let ai_llm = owner.create_ai_llm().body(body::<types::CreateAiLlmRequest>(ai_llm));
        // Written down only: one that is at work would keep git busy in every cell of the matrix.
        let store = &self.server.services().store;
        let org = operator::find_org(store, None).await.expect("first organisation");
        let import = SourceImport::new(org.id, workspace.into());
        source_imports::insert(store.write_now(), &import).await.expect("an import");
        let targets = Targets {
            workspace,
            empty_workspace,
            member,
            candidate,
            token,
            repo,
            repo_token,
            delivery,
            repo_delivery,
            hook: self.receiver.port(),
            commit: head.repo_head.parse().expect("a commit"),
            bucket,
            free_bucket,
            storage_repo,
            access_key: access_key.send().await.expect("access key").id,
            import: import.id.uuid(),
            job: jobs(&owner, storage_repo).await[0],
            ai_llm: ai_llm.send().await.expect("AI LLM").ai_llm_id,
            ai_key: ai_key.send().await.expect("AI API key").id,
        };
        Props { targets, reader_repo_token, admin_repo_token }
    }

    /// All that a refused call could have changed, as the two owners see it.
    pub async fn state(&self, props: &Props) -> Vec<String> {
        let http = reqwest::Client::new();
        let jobs = jobs(&self.server.owner(), props.targets.storage_repo).await;
        let mut state = vec![format!("{jobs:?}")];
        let repo = format!("/v1/repo/{}", props.targets.repo);
        for token in [OWNER_TOKEN, &self.other_org] {
            let storage = ["repo", "bucket", "ai/llm"]
                .map(|kind| format!("/{kind}?workspaceId={}", props.targets.workspace));
            let clone = format!("{repo}/clone");
            let paths = ["/workspace", "/token", "/v1/repo", &repo, &clone];
            for path in paths.into_iter().chain(storage.iter().map(String::as_str)) {
                let url = format!("{}{path}", self.server.url());
                let answer = http.get(url).bearer_auth(token).send().await.expect("an answer");
                state.push(answer.text().await.expect("a body"));
            }
            let url = format!("{}/systemevent", self.server.url());
            let request = http.post(url).bearer_auth(token).json(&json!({"take": 1}));
            let answer = request.send().await.expect("an answer");
            state.push(answer.text().await.expect("a body"));
        }
        state
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// A new token of a user of the first organisation: its id, and the token.
pub async fn token(server: &Server, email: &str, scope: &Scope) -> (Uuid, String) {
    let store = &server.services().store;
    let org = operator::find_org(store, None).await.expect("first organisation");
    let user = operator::find_user(store, &org, email).await.expect("user");
    let made = operator::create_token(store, &user, "made by the test", scope).await;
    let (token, secret) = made.expect("token");
    (token.id.uuid(), secret.expose_secret().to_owned())
}

async fn set_webhook(client: &Client, port: u16) {
    client.set_webhook().body(webhook(port)).send().await.expect("a webhook");
}

/// Gives a repo a webhook, changes it, and returns what that is told.
async fn told_of(client: &Client, repo: Uuid, port: u16) -> Uuid {
    let set = client.set_source_repo_webhook().repo_id(repo).body(webhook(port));
    set.send().await.expect("a webhook");
    let put = client.put_source_file().repo_id(repo).file_path("told.txt").body("told");
    put.send().await.expect("a change");
    let log = client.list_source_repo_webhook_deliveries().repo_id(repo).send().await;
    log.expect("a log").items[0].id
}

/// The jobs of a storage repo.
async fn jobs(client: &Client, storage_repo: Uuid) -> Vec<Uuid> {
    let jobs = client.list_jobs().repo_id(storage_repo).send().await.expect("jobs");
    jobs.jobs.iter().map(|job| job.id).collect()
}

pub async fn id_of(client: &Client) -> Uuid {
    client.get_profile().send().await.expect("profile").data.id
}

pub async fn create_workspace(client: &Client) -> Uuid {
    let body = types::CreateWorkspaceRequest::builder().name("Stage");
    client.create_workspace().body(body).send().await.expect("workspace").workspace.id
}

/// A bucket on the server's own disk.
pub async fn create_bucket(client: &Client, workspace: Uuid) -> Uuid {
    let bucket = json!({"name": Uuid::new_v4(), "bucket": "stage", "storageType": "S3",
        "endpoint": "file:stage", "workspaceId": workspace});
    let body: types::CreateBucketRequest = body(bucket);
    client.create_bucket().body(body).send().await.expect("bucket").bucket_id
}

/// A storage repo of mode BACKUP that holds the bucket.
pub async fn create_storage_repo(client: &Client, workspace: Uuid, bucket: Uuid) -> Uuid {
    let repo = json!({"name": Uuid::new_v4(), "storageType": "S3", "mode": "BACKUP",
        "workspaceId": workspace, "repoBuckets": [{"bucketId": bucket, "master": true}]});
    let body: types::CreateStorageRepoRequest = body(repo);
    client.create_storage_repo().body(body).send().await.expect("storage repo").repo_id
}

fn body<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("a body the client can send")
}

pub async fn create_repo(client: &Client, workspace: Uuid) -> Uuid {
    let files = json!({"type": "files", "files": [{"filename": "kept.txt", "content": "kept"}]});
    let source: types::CreateSource = serde_json::from_value(files).expect("files");
    let body = types::CreateSourceRepoRequest::builder()
        .source(Some(source))
        // What is not indexed cannot be retrieved.
        .auto_index(true)
        .workspace_id(Some(workspace));
    client.create_source_repo().body(body).send().await.expect("repo").repo_id
}

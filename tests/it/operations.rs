//! Every operation of the contract: how the generated client calls it, and who may. A test
//! holds the table against the contract; the isolation matrix is made from it.

use std::collections::BTreeMap;
use std::pin::Pin;

use repoplane::model::access::Role::{self, Admin, Read, Write};
use repoplane::model::edit::CommitId;
use repoplane_client::{Client, Error, ResponseValue, types};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::isolation::stage::Stage;

/// What the calls are about.
#[derive(Clone, Copy, Debug)]
pub struct Targets {
    pub workspace: Uuid,
    /// A workspace that holds nothing.
    pub empty_workspace: Uuid,
    /// A user with a role in the workspace.
    pub member: Uuid,
    /// A user of the organisation without one.
    pub candidate: Uuid,
    /// A token of the owner.
    pub token: Uuid,
    /// A repo in the workspace, with the file `kept.txt`.
    pub repo: Uuid,
    /// A repo token of the owner that names the repo.
    pub repo_token: Uuid,
    /// What the owner's webhook was told of the repo, and the repo's own.
    pub delivery: Uuid,
    pub repo_delivery: Uuid,
    /// Where webhooks tell what happens: a port of this machine.
    pub hook: u16,
    /// The head of the repo.
    pub commit: CommitId,
    /// A bucket that the storage repo holds, and one that nothing holds.
    pub bucket: Uuid,
    pub free_bucket: Uuid,
    pub storage_repo: Uuid,
    pub access_key: Uuid,
    /// A job of the storage repo.
    pub job: Uuid,
    /// An import into the workspace.
    pub import: Uuid,
    /// An AI LLM that nothing names.
    pub ai_llm: Uuid,
    pub ai_key: Uuid,
}

/// Whom an operation is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Every account token; the answer is about the caller.
    Account,
    /// Accounts that may create workspaces.
    WorkspaceMaker,
    /// The account the token belongs to.
    TokenOwner,
    /// Accounts with this role in the workspace.
    Workspace(Role),
    /// Accounts with this role in the repo's workspace, and repo tokens that name the repo.
    Repo(Role),
}

type Status = Pin<Box<dyn Future<Output = Result<u16, String>> + Send>>;

pub struct Operation {
    pub id: &'static str,
    pub access: Access,
    /// Sends it with the generated client. The status; or why the answer is none of the contract's.
    pub send: fn(Client, Targets) -> Status,
}

macro_rules! operation {
    ($id:ident, $access:expr, |$on:ident| $($with:tt)*) => {
        Operation {
            id: stringify!($id),
            access: $access,
            send: |client, $on| Box::pin(async move {
                let _ = $on;
                status(client.$id() $($with)* .send().await)
            }),
        }
    };
}

pub fn all() -> Vec<Operation> {
    let mut all = of_accounts_and_source_repos();
    all.extend(of_storage_repos());
    all.extend(of_stats());
    all.extend(of_repo_tokens_and_webhooks());
    all
}

fn of_accounts_and_source_repos() -> Vec<Operation> {
    use Access::{Account, Public, Repo, TokenOwner, Workspace, WorkspaceMaker};
    vec![
        operation!(create_workspace, WorkspaceMaker, |on| .body(body::<types::CreateWorkspaceRequest>(json!({"name": "new"})))),
        operation!(list_workspaces, Account, |on|),
        operation!(get_workspace, Workspace(Read), |on| .id(on.workspace)),
        operation!(update_workspace, Workspace(Admin), |on| .id(on.workspace)
            .body(body::<types::UpdateWorkspaceRequest>(json!({"name": "renamed"})))),
        operation!(delete_workspace, Workspace(Admin), |on| .id(on.empty_workspace)),
        operation!(add_workspace_user, Workspace(Admin), |on| .id(on.workspace)
            .body(body::<types::AddWorkspaceUserRequest>(json!({"userId": on.candidate, "role": "READ"})))),
        operation!(update_workspace_user, Workspace(Admin), |on| .id(on.workspace).user_id(on.member)
            .body(body::<types::UpdateWorkspaceUserRequest>(json!({"role": "ADMIN"})))),
        operation!(remove_workspace_user, Workspace(Admin), |on| .id(on.workspace).user_id(on.member)),
        operation!(get_profile, Account, |on|),
        operation!(list_tokens, Account, |on|),
        operation!(revoke_token, TokenOwner, |on| .id(on.token)),
        operation!(list_events, Account, |on| .body(body::<types::SystemEventQuery>(json!({})))),
        operation!(create_source_repo, Workspace(Write), |on|
            .body(body::<types::CreateSourceRepoRequest>(json!({"workspace_id": on.workspace})))),
        operation!(start_source_import, Workspace(Write), |on|
            .body(body::<types::CreateSourceRepoRequest>(git_source(on.workspace, on.hook)))),
        operation!(get_source_import, Workspace(Read), |on| .import_id(on.import)),
        operation!(cancel_source_import, Workspace(Write), |on| .import_id(on.import)),
        operation!(follow_source_import, Workspace(Read), |on| .import_id(on.import)),
        operation!(list_source_repos, Workspace(Read), |on| .workspace_id(on.workspace)),
        operation!(get_source_repo, Repo(Read), |on| .repo_id(on.repo)),
        operation!(delete_source_repo, Repo(Write), |on| .repo_id(on.repo)),
        operation!(edit_source_repo, Repo(Write), |on| .repo_id(on.repo)
            .body(body::<types::EditSourceRepoRequest>(json!({"metadata": {"changed": "yes"}})))),
        operation!(clone_source_repo, Repo(Read), |on| .repo_id(on.repo)),
        operation!(put_source_file, Repo(Write), |on| .repo_id(on.repo).file_path("new.txt").body("new")),
        operation!(get_source_file, Repo(Read), |on| .repo_id(on.repo).file_path("kept.txt")),
        operation!(delete_source_file, Repo(Write), |on| .repo_id(on.repo).file_path("kept.txt")),
        operation!(list_commits, Repo(Read), |on| .repo_id(on.repo)),
        operation!(get_commit, Repo(Read), |on| .repo_id(on.repo).commit_id(on.commit.to_string())),
        operation!(diff_commits, Repo(Read), |on| .repo_id(on.repo).base("main")),
        operation!(list_tree, Repo(Read), |on| .repo_id(on.repo)),
        operation!(grep_source_repo, Repo(Read), |on| .repo_id(on.repo).pattern("kept")),
        operation!(search_source_repo, Repo(Read), |on| .repo_id(on.repo)
            .body(body::<types::SearchRequest>(json!({"query": "kept"})))),
        operation!(search_source_files, Repo(Read), |on| .repo_id(on.repo).query("kept")),
        operation!(run_agent, Repo(Read), |on| .repo_id(on.repo).body(body::<types::AgentRequest>(
            json!({"agent_name": "relace-search", "agent_inputs": {"query": "kept"}})))),
        operation!(retrieve_source_files, Repo(Read), |on| .repo_id(on.repo)
            .body(body::<types::RetrieveRequest>(json!({"query": "kept"})))),
        operation!(get_embedding_status, Repo(Read), |on| .repo_id(on.repo)),
        operation!(archive_source_repo, Repo(Read), |on| .repo_id(on.repo)),
        operation!(list_branches, Repo(Read), |on| .repo_id(on.repo)),
        operation!(create_branch, Repo(Write), |on| .repo_id(on.repo)
            .body(body::<types::CreateBranchRequest>(json!({"name": "new"})))),
        operation!(get_branch, Repo(Read), |on| .repo_id(on.repo).branch("main")),
        operation!(delete_branch, Repo(Write), |on| .repo_id(on.repo).branch("spare")),
        operation!(merge_branch, Repo(Write), |on| .repo_id(on.repo)
            .body(body::<types::MergeRequest>(json!({"from": "spare"})))),
        operation!(revert_commit, Repo(Write), |on| .repo_id(on.repo).commit_id(on.commit.to_string())
            .body(body::<types::CommitTerms>(json!({})))),
        operation!(reset_to_commit, Repo(Write), |on| .repo_id(on.repo).commit_id(on.commit.to_string())
            .body(body::<types::CommitTerms>(json!({})))),
        operation!(check_health, Public, |on|),
        operation!(check_readiness, Public, |on|),
        operation!(get_metrics, Public, |on|),
    ]
}

fn of_storage_repos() -> Vec<Operation> {
    use Access::{Account, Workspace};
    vec![
        operation!(create_storage_repo, Workspace(Write), |on| .body(body::<types::CreateStorageRepoRequest>(
            json!({"name": "new", "storageType": "S3", "mode": "MIRROR", "workspaceId": on.workspace,
                "repoBuckets": [{"bucketId": on.free_bucket, "master": true}], "repoAiLlms": [{"aiLlmId": on.ai_llm}]})))),
        operation!(list_storage_repos, Workspace(Read), |on| .workspace_id(named(on.workspace))),
        operation!(validate_new_storage_repo, Account, |on| .body(body::<types::ValidateStorageRepoRequest>(
            json!({"mode": "MIRROR", "repoBuckets": [{"bucketId": on.free_bucket, "master": true}]})))),
        operation!(get_storage_repo, Workspace(Read), |on| .repo_id(on.storage_repo)),
        operation!(update_storage_repo, Workspace(Write), |on| .repo_id(on.storage_repo).body(body::<types::UpdateStorageRepoRequest>(
            json!({"name": "changed", "storageType": "S3", "mode": "BACKUP"})))),
        operation!(delete_storage_repo, Workspace(Write), |on| .repo_id(on.storage_repo)),
        operation!(validate_storage_repo, Workspace(Read), |on| .repo_id(on.storage_repo)
            .body(body::<types::ValidateStorageRepoRequest>(json!({"mode": "NORMAL"})))),
        operation!(get_mirror, Workspace(Read), |on| .repo_id(on.storage_repo)),
        operation!(repair_mirror, Workspace(Write), |on| .repo_id(on.storage_repo)),
        operation!(scrub_mirror, Workspace(Write), |on| .repo_id(on.storage_repo)
            .body(body::<types::ScrubMirrorRequest>(json!({"read": true})))),
        operation!(restore_objects, Workspace(Write), |on| .repo_id(on.storage_repo)
            .body(body::<types::RestoreObjectsRequest>(json!({"dryRun": true})))),
        operation!(list_jobs, Workspace(Read), |on| .repo_id(on.storage_repo)),
        operation!(get_job, Workspace(Read), |on| .id(on.job)),
        operation!(follow_job, Workspace(Read), |on| .id(on.job)),
        operation!(create_access_key, Workspace(Write), |on| .repo_id(on.storage_repo)
            .body(body::<types::CreateAccessKeyRequest>(json!({"name": "new", "accessType": "WRITE"})))),
        operation!(list_access_keys, Workspace(Read), |on| .repo_id(on.storage_repo)),
        operation!(update_access_key, Workspace(Write), |on| .repo_id(on.storage_repo).key_id(on.access_key)
            .body(body::<types::UpdateAccessKeyRequest>(json!({"name": "changed", "accessType": "WRITE"})))),
        operation!(delete_access_key, Workspace(Write), |on| .repo_id(on.storage_repo).key_id(on.access_key)),
        operation!(create_ai_key, Workspace(Write), |on| .repo_id(on.storage_repo)
            .body(body::<types::CreateAiKeyRequest>(json!({"name": "new", "aiType": "OPENAI"})))),
        operation!(list_ai_keys, Workspace(Read), |on| .repo_id(on.storage_repo)),
        operation!(update_ai_key, Workspace(Write), |on| .repo_id(on.storage_repo).id(on.ai_key)
            .body(body::<types::UpdateAiKeyRequest>(json!({"name": "changed"})))),
        operation!(delete_ai_key, Workspace(Write), |on| .repo_id(on.storage_repo).id(on.ai_key)),
        operation!(create_bucket, Workspace(Write), |on| .body(body::<types::CreateBucketRequest>(
            json!({"name": Uuid::new_v4(), "bucket": "new", "storageType": "S3", "endpoint": "file:new", "workspaceId": on.workspace})))),
        operation!(list_buckets, Workspace(Read), |on| .workspace_id(named(on.workspace))),
        operation!(list_available_buckets, Workspace(Read), |on| .workspace_id(named(on.workspace))),
        operation!(get_bucket, Workspace(Read), |on| .bucket_id(on.bucket)),
        operation!(update_bucket, Workspace(Write), |on| .bucket_id(on.bucket)
            .body(body::<types::UpdateBucketRequest>(json!({"bucket": "moved", "region": "eu-west-1"})))),
        operation!(delete_bucket, Workspace(Write), |on| .bucket_id(on.free_bucket)),
        operation!(get_bucket_status, Workspace(Read), |on| .bucket_id(on.bucket)),
        operation!(validate_bucket, Workspace(Write), |on| .bucket_id(on.bucket)
            .body(body::<types::ValidateBucketRequest>(json!({"bucket": "tried"})))),
        operation!(create_ai_llm, Workspace(Write), |on| .body(body::<types::CreateAiLlmRequest>(
            json!({"name": "new", "aiType": "OPENAI", "workspaceId": on.workspace})))),
        operation!(list_ai_llms, Workspace(Read), |on| .workspace_id(named(on.workspace))),
        operation!(update_ai_llm, Workspace(Write), |on| .id(on.ai_llm)
            .body(body::<types::UpdateAiLlmRequest>(json!({"name": "changed"})))),
        operation!(delete_ai_llm, Workspace(Write), |on| .id(on.ai_llm)),
    ]
}

fn of_stats() -> Vec<Operation> {
    use Access::{Account, Workspace};
    use types::{StatsScope, StatsWindow};
    vec![
        operation!(get_repo_stats, Account, |on| .repo_id(ids(on.storage_repo))),
        operation!(get_bucket_stats, Account, |on| .bucket_id(ids(on.bucket))),
        operation!(get_unit_stats, Account, |on| .unit_id(ids(on.bucket))),
        operation!(get_bucket_node_stats, Workspace(Read), |on| .bucket_id(on.bucket)
            .body(body::<types::BucketNodeStatsRequest>(json!({"day": "2026-01-15"})))),
        operation!(get_daily_stats, Account, |on| .repo_id(ids(on.storage_repo))),
        operation!(get_minute_stats, Account, |on| .bucket_id(ids(on.bucket))),
        operation!(get_node_stats_minute, Account, |on| .bucket_id(ids(on.bucket))),
        operation!(get_node_stats_daily, Account, |on| .unit_id(ids(on.bucket)).start_date(1_012_026)),
        operation!(get_storage_series, Workspace(Read), |on| .scope(StatsScope::Workspace).id(on.workspace)
            .window(StatsWindow::X24h)),
        operation!(get_storage_breakdown, Workspace(Read), |on| .by("buckets").scope(StatsScope::Repo)
            .id(on.storage_repo).window(StatsWindow::X7d)),
    ]
}

fn of_repo_tokens_and_webhooks() -> Vec<Operation> {
    use Access::{Account, TokenOwner, Workspace};
    vec![
        operation!(create_repo_token, Workspace(Write), |on| .body(body::<types::CreateRepoTokenRequest>(
            json!({"name": "new", "repo_ids": [on.repo]})))),
        operation!(list_repo_tokens, Account, |on|),
        operation!(get_repo_token, TokenOwner, |on| .token(on.repo_token.to_string())),
        operation!(delete_repo_token, TokenOwner, |on| .token(on.repo_token.to_string())),
        operation!(set_source_repo_webhook, Workspace(Write), |on| .repo_id(on.repo).body(webhook(on.hook))),
        operation!(get_source_repo_webhook, Workspace(Write), |on| .repo_id(on.repo)),
        operation!(create_source_repo_webhook_secret, Workspace(Write), |on| .repo_id(on.repo)),
        operation!(list_source_repo_webhook_deliveries, Workspace(Write), |on| .repo_id(on.repo)),
        operation!(redeliver_source_repo_webhook, Workspace(Write), |on| .repo_id(on.repo).delivery_id(on.repo_delivery)),
        operation!(delete_source_repo_webhook, Workspace(Write), |on| .repo_id(on.repo)),
        operation!(set_webhook, Account, |on| .body(webhook(on.hook))),
        operation!(get_webhook, Account, |on|),
        operation!(create_webhook_secret, Account, |on|),
        operation!(list_webhook_deliveries, Account, |on|),
        operation!(redeliver_webhook, TokenOwner, |on| .delivery_id(on.delivery)),
        // Last, because those before need what only the stage and `set_webhook` make.
        operation!(delete_webhook, Account, |on|),
    ]
}

/// The operations of the contract, each with the statuses it lists.
pub fn documented() -> BTreeMap<String, Vec<u16>> {
    let contract: Value =
        yaml_serde::from_str(repoplane::api::docs::CONTRACT).expect("the contract");
    let paths = contract["paths"].as_object().expect("paths").values();
    paths
        .flat_map(|path| path.as_object().expect("methods").values())
        .filter_map(|operation| {
            let id = operation["operationId"].as_str()?.to_owned();
            let statuses = operation["responses"].as_object().expect("responses").keys();
            Some((id, statuses.map(|status| status.parse().expect("a status")).collect()))
        })
        .collect()
}

#[test]
fn the_table_has_every_operation_of_the_contract_once() {
    let mut table: Vec<_> = all().iter().map(|operation| operation.id.to_owned()).collect();
    table.sort();
    let documented: Vec<_> = documented().into_keys().collect();
    assert_eq!(table, documented);
}

#[tokio::test]
async fn every_operation_succeeds_through_the_generated_client() {
    let stage = Stage::start().await;
    let documented = documented();
    for operation in all() {
        let props = stage.prepare().await;
        let status = (operation.send)(stage.server.owner(), props.targets).await;
        let status = status.unwrap_or_else(|error| panic!("{}: {error}", operation.id));
        let listed = documented[operation.id].contains(&status);
        assert!(listed && (200..300).contains(&status), "{}: {status}", operation.id);
    }
    stage.stop().await;
}

fn body<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a body the client can send")
}

pub fn webhook(port: u16) -> types::SetWebhookRequest {
    body(json!({"url": format!("http://127.0.0.1:{port}/hook")}))
}

/// A source repo to be made from where there is none.
fn git_source(workspace: Uuid, port: u16) -> Value {
    let source = json!({"type": "git", "url": format!("http://127.0.0.1:{port}/none.git")});
    json!({"workspace_id": workspace, "source": source})
}

fn named(id: Uuid) -> types::IdOrName {
    id.to_string().parse().expect("an id or a name")
}

fn ids(id: Uuid) -> types::IdList {
    id.to_string().parse().expect("a list of ids")
}

fn status<T, E: std::fmt::Debug>(sent: Result<ResponseValue<T>, Error<E>>) -> Result<u16, String> {
    match sent {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(Error::ErrorResponse(answer)) => Ok(answer.status().as_u16()),
        Err(other) => Err(format!("{other:?}")),
    }
}

//! What serde reads and writes, as schemars sees it, for the test that compares it with the
//! contract. The document follows what annotations claim; this follows the code that runs.

use std::collections::BTreeMap;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::Value;

use super::access_keys::{
    AccessKeyListResponse, CreateAccessKeyRequest, CreatedKeyResponse, UpdateAccessKeyRequest,
};
use super::ai_keys::{AiKeyListResponse, CreateAiKeyRequest, UpdateAiKeyRequest};
use super::ai_llms::{
    AiLlmChangeResponse, AiLlmListResponse, CreateAiLlmRequest, UpdateAiLlmRequest,
};
use super::buckets::{
    BucketChangeResponse, BucketListResponse, BucketResponse, BucketStatusResponse,
    CreateBucketRequest, UpdateBucketRequest, ValidateBucketRequest, ValidateBucketResponse,
};
use super::edits::{
    CommitAuthor, EditOperation, EditSource, EditSourceRepoRequest, FileEncoding, FileMode,
    FileWrite,
};
use super::events::{SystemEventPage, SystemEventQuery};
use super::half::{SourceError, StorageError};
use super::jobs::{JobEvent, JobListResponse, JobResponse};
use super::mirrors::{
    JobIdResponse, JobIdsResponse, MirrorResponse, RestoreObjectsRequest, ScrubMirrorRequest,
};
use super::repo_tokens::{
    CreateRepoTokenRequest, CreatedRepoToken, RepoToken, RepoTokenAccess, RepoTokenPage,
};
use super::repo_webhooks::{SetWebhookRequest, Webhook, WebhookDeliveryPage, WebhookSecret};
use super::source_branches::{Branch, BranchPage, CommitTerms, CreateBranchRequest, MergeRequest};
use super::source_history::{ArchiveFormat, CommitComparison, CommitDetail, CommitPage, TreePage};
use super::source_imports::{SourceImport, SourceImportEvent};
use super::source_repos::{
    CreateSource, CreateSourceRepoRequest, SourceFiles, SourceRepo, SourceRepoInfo,
    SourceRepoOrder, SourceRepoPage,
};
use super::source_search::{
    AgentInputs, AgentName, AgentOverrides, AgentRequest, EmbeddingStatus, FilePage, GrepPage,
    RetrieveRequest, RetrieveResponse, SearchEvent, SearchRequest, SearchResponse,
};
use super::stats::{
    BucketNodeStatsRequest, BucketNodeStatsResponse, BucketStatsResponse, IdList,
    NodeDailyResponse, NodeMinuteResponse, RepoStatsResponse, StatsResponse, StatsScope, StatsTime,
    StatsTimeBucket, StatsWindow, StorageBreakdownResponse, StorageSeriesResponse,
};
use super::storage_repos::{
    CreateStorageRepoRequest, RepoAiLlm, RepoBucket, StorageRepoChangeResponse,
    StorageRepoListResponse, StorageRepoResponse, StorageRepoUpdateResponse,
    UpdateStorageRepoRequest, ValidateStorageRepoRequest, ValidateStorageRepoResponse,
};
use super::storage_words::{AiType, BucketFolder, IdOrName, StorageMode, StorageType};
use super::system::{Health, Readiness};
use super::tokens::TokenListResponse;
use super::users::ProfileResponse;
use super::wire::{
    ActionResponse, BranchName, CommitId, CommitMessage, FilePath, MessageResponse, Metadata, Name,
    Revision, ShortCommitMessage,
};
use super::workspaces::{
    AccessType, AddWorkspaceUserRequest, CreateWorkspaceRequest, UpdateWorkspaceRequest,
    UpdateWorkspaceUserRequest, WorkspaceDetailResponse, WorkspaceListResponse, WorkspaceResponse,
};

/// Schemas by name.
pub type Schemas = BTreeMap<String, Value>;

macro_rules! schemas {
    ($settings:expr, $($name:ident),+ $(,)?) => {{
        let mut generator: SchemaGenerator = $settings.into_generator();
        $(generator.subschema_for::<$name>();)+
        generator.take_definitions(true).into_iter().collect()
    }};
}

/// What requests may hold.
pub fn sent() -> Schemas {
    schemas!(
        SchemaSettings::openapi3().for_deserialize(),
        AccessType,
        AddWorkspaceUserRequest,
        AgentInputs,
        AgentName,
        AgentOverrides,
        AgentRequest,
        AiType,
        ArchiveFormat,
        BranchName,
        BucketFolder,
        BucketNodeStatsRequest,
        CommitAuthor,
        CommitId,
        CommitMessage,
        CommitTerms,
        CreateBranchRequest,
        CreateSource,
        CreateSourceRepoRequest,
        CreateAccessKeyRequest,
        CreateAiKeyRequest,
        CreateAiLlmRequest,
        CreateBucketRequest,
        CreateRepoTokenRequest,
        RepoTokenAccess,
        SetWebhookRequest,
        CreateStorageRepoRequest,
        CreateWorkspaceRequest,
        IdList,
        IdOrName,
        EditOperation,
        EditSource,
        EditSourceRepoRequest,
        FileEncoding,
        FileMode,
        FilePath,
        FileWrite,
        MergeRequest,
        Metadata,
        Name,
        RepoAiLlm,
        RepoBucket,
        RestoreObjectsRequest,
        ScrubMirrorRequest,
        RetrieveRequest,
        SearchRequest,
        Revision,
        ShortCommitMessage,
        StatsScope,
        StatsTime,
        StatsTimeBucket,
        StatsWindow,
        StorageMode,
        StorageType,
        UpdateAccessKeyRequest,
        UpdateAiKeyRequest,
        UpdateAiLlmRequest,
        UpdateBucketRequest,
        UpdateStorageRepoRequest,
        ValidateBucketRequest,
        ValidateStorageRepoRequest,
        SourceRepoOrder,
        SystemEventQuery,
        UpdateWorkspaceRequest,
        UpdateWorkspaceUserRequest,
    )
}

/// What answers hold. Types that these name are found by themselves.
pub fn answered() -> Schemas {
    schemas!(
        SchemaSettings::openapi3().for_serialize(),
        AccessKeyListResponse,
        ActionResponse,
        AiKeyListResponse,
        AiLlmChangeResponse,
        AiLlmListResponse,
        Branch,
        BranchPage,
        BucketChangeResponse,
        BucketListResponse,
        BucketNodeStatsResponse,
        BucketResponse,
        BucketStatsResponse,
        BucketStatusResponse,
        CommitComparison,
        CommitDetail,
        CommitPage,
        CreatedKeyResponse,
        CreatedRepoToken,
        RepoToken,
        RepoTokenPage,
        Webhook,
        WebhookDeliveryPage,
        WebhookSecret,
        GrepPage,
        EmbeddingStatus,
        FilePage,
        RetrieveResponse,
        SearchEvent,
        SearchResponse,
        Health,
        JobEvent,
        JobIdResponse,
        JobIdsResponse,
        JobListResponse,
        JobResponse,
        MessageResponse,
        Metadata,
        MirrorResponse,
        NodeDailyResponse,
        NodeMinuteResponse,
        ProfileResponse,
        Readiness,
        RepoStatsResponse,
        SourceError,
        SourceFiles,
        SourceImport,
        SourceImportEvent,
        SourceRepo,
        SourceRepoInfo,
        SourceRepoPage,
        StatsResponse,
        TreePage,
        StorageBreakdownResponse,
        StorageError,
        StorageSeriesResponse,
        StorageRepoChangeResponse,
        StorageRepoListResponse,
        StorageRepoResponse,
        StorageRepoUpdateResponse,
        ValidateBucketResponse,
        ValidateStorageRepoResponse,
        SystemEventPage,
        TokenListResponse,
        WorkspaceDetailResponse,
        WorkspaceListResponse,
        WorkspaceResponse,
    )
}

/// Reads the JSON text as a type of that name, which requests may hold; the error says why it is
/// none. Only types with fields, since the others are read as what they are.
pub fn read(name: &str, text: &str) -> Option<Result<(), String>> {
    macro_rules! read {
        ($($name:ident),+ $(,)?) => {
            match name {
                $(stringify!($name) => serde_json::from_str::<$name>(text).map(drop),)+
                _ => return None,
            }
        };
    }
    let read = read!(
        AddWorkspaceUserRequest,
        AgentInputs,
        AgentOverrides,
        AgentRequest,
        BucketNodeStatsRequest,
        CommitAuthor,
        CommitTerms,
        CreateBranchRequest,
        CreateSource,
        CreateSourceRepoRequest,
        CreateAccessKeyRequest,
        CreateAiKeyRequest,
        CreateAiLlmRequest,
        CreateBucketRequest,
        CreateRepoTokenRequest,
        SetWebhookRequest,
        CreateStorageRepoRequest,
        CreateWorkspaceRequest,
        EditOperation,
        EditSource,
        EditSourceRepoRequest,
        FileWrite,
        MergeRequest,
        RepoAiLlm,
        RepoBucket,
        RestoreObjectsRequest,
        RetrieveRequest,
        ScrubMirrorRequest,
        SearchRequest,
        SystemEventQuery,
        UpdateAccessKeyRequest,
        UpdateAiKeyRequest,
        UpdateAiLlmRequest,
        UpdateBucketRequest,
        UpdateStorageRepoRequest,
        ValidateBucketRequest,
        ValidateStorageRepoRequest,
        UpdateWorkspaceRequest,
        UpdateWorkspaceUserRequest,
    );
    Some(read.map_err(|error| error.to_string()))
}

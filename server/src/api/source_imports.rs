//! Tag `source_imports`: source repos that are made from repositories elsewhere while nobody waits, and
//! how far they have come.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{SourceJson, SourcePath};
use super::half::SourceFault;
use super::responses::{
    SourceAbsent, SourceAlways, SourceBody, SourceConflict, SourceForbidden, SourceInvalid,
};
use super::source_repos::CreateSourceRepoRequest;
use super::{By, Shared};
use crate::model::source_import;
use crate::model::storage_job::JobState;
use crate::service::source_imports;

/// How long a stream of events may be silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Start an import
///
/// Makes a source repo as `create_source_repo` does, from a `git` source, and answers at once. The repo is there
/// when the import is `done`, with all it was to hold; if it `failed`, there is none. An import goes on whether
/// somebody looks at it or not, for an hour at most unless the operator says otherwise. If the server stops
/// meanwhile, it has failed. A server has at most 64 imports under way. Needs WRITE in the workspace, and an account
/// token.
#[utoipa::path(post, path = "/v1/repo_import", tag = "source_imports",
    request_body = CreateSourceRepoRequest,
    responses(
        (status = 202, description = "The import is under way.", body = SourceImport),
        SourceAlways, SourceForbidden, SourceAbsent, SourceBody, SourceInvalid,
    ))]
pub async fn start_source_import(
    services: Shared,
    caller: By,
    body: SourceJson<CreateSourceRepoRequest>,
) -> Result<(StatusCode, Json<SourceImport>), SourceFault> {
    let import = source_imports::start(&services, &caller, body.0.into_new()?).await?;
    Ok((StatusCode::ACCEPTED, Json(import.into())))
}

/// Read an import
///
/// Imports are forgotten 30 days after they began. Needs READ in the workspace, and an account token.
#[utoipa::path(get, path = "/v1/repo_import/{import_id}", tag = "source_imports", params(ImportPath),
    responses(
        (status = 200, description = "The import.", body = SourceImport),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn get_source_import(
    services: Shared,
    caller: By,
    path: SourcePath<ImportPath>,
) -> Result<Json<SourceImport>, SourceFault> {
    let import = source_imports::get(&services, &caller, path.0.import_id.into()).await?;
    Ok(Json(import.into()))
}

/// Cancel an import
///
/// Ends it without a repo, and answers it as it then is: `cancelled`. What was fetched of it is taken away soon
/// after. An import that is `cancelled` stays so; one that is `done` or has `failed` is refused. Needs WRITE in the
/// workspace, and an account token.
#[utoipa::path(delete, path = "/v1/repo_import/{import_id}", tag = "source_imports", params(ImportPath),
    responses(
        (status = 200, description = "The import, which is cancelled.", body = SourceImport),
        SourceAlways, SourceForbidden, SourceAbsent, SourceConflict,
    ))]
pub async fn cancel_source_import(
    services: Shared,
    caller: By,
    path: SourcePath<ImportPath>,
) -> Result<Json<SourceImport>, SourceFault> {
    let import = source_imports::cancel(&services, &caller, path.0.import_id.into()).await?;
    Ok(Json(import.into()))
}

/// Follow an import
///
/// A stream of server-sent events: the import as it is now, then again whenever it has come further. The last
/// event is `done`, `failed` or `cancelled`. A stream that ends without one was cut off, since the server stops or
/// the caller may not look any more. Needs READ in the workspace, and an account token. A user may follow 16 jobs and
/// imports at the same time.
#[utoipa::path(get, path = "/v1/repo_import/{import_id}/events", tag = "source_imports", params(ImportPath),
    responses(
        (status = 200, description = "The events.", body = SourceImportEvent, content_type = "text/event-stream"),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn follow_source_import(
    services: Shared,
    caller: By,
    path: SourcePath<ImportPath>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, SourceFault> {
    let imports = source_imports::follow(&services, &caller, path.0.import_id.into()).await?;
    let events = imports.map(|import| {
        let event = SourceImportEvent::from(import);
        Ok(Event::default().event(event.event).data(event.data))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ImportPath {
    /// Id of the import.
    #[param(example = "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35")]
    import_id: Uuid,
}

/// A source repo that is being made from a repository elsewhere.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"import_id": "01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35", "workspace_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "state": "running", "phase": "receiving", "percent": 35, "objects": 500, "objects_total": 1000, "bytes": 1048576, "repo_id": null, "repo_head": null, "message": null, "created_at": "2026-01-15T10:30:00Z", "updated_at": "2026-01-15T10:30:05Z", "finished_at": null}))]
pub struct SourceImport {
    /// Id of the import.
    import_id: Uuid,
    /// Id of the workspace the repo is for.
    workspace_id: Uuid,
    /// `running`, `done`, `failed` or `cancelled`.
    state: String,
    /// What it last was at: `waiting` (for its turn), `preparing` (the other server puts together what to
    /// send), `receiving`, `resolving` (makes whole objects of what came, and checks them) or `storing`.
    phase: String,
    /// How much of the whole is done, roughly. 100 only once it is `done`.
    #[schema(maximum = 100)]
    percent: u32,
    /// Objects that this phase is done with.
    objects: u64,
    /// Objects that this phase has to do with; 0 if that is not known.
    objects_total: u64,
    /// Bytes received.
    bytes: u64,
    /// Id of the repo; `null` unless it is `done`.
    #[schema(required = true)]
    repo_id: Option<Uuid>,
    /// Head of the repo as it was made, 40 hexadecimal digits; `null` unless it is `done`.
    #[schema(required = true)]
    repo_head: Option<String>,
    /// Why there is no repo; `null` unless it has `failed` or was `cancelled`.
    #[schema(required = true)]
    message: Option<String>,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last known to be worked on.
    updated_at: DateTime<Utc>,
    /// When it ended; `null` if it has not.
    #[schema(required = true)]
    finished_at: Option<DateTime<Utc>>,
}

/// An event of the stream that follows an import.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"event": "import", "data": "{\"import_id\":\"01994d2e-7c3a-7b51-9f0e-2d4c6b8a1e35\",\"state\":\"running\"}"}))]
pub struct SourceImportEvent {
    /// `import`; of the last event `done`, `failed` or `cancelled`.
    event: String,
    /// A `SourceImport`, as JSON.
    data: String,
}

impl From<source_import::SourceImport> for SourceImport {
    fn from(import: source_import::SourceImport) -> Self {
        let (repo_id, repo_head) = import.made.clone().unzip();
        Self {
            import_id: import.id.uuid(),
            workspace_id: import.workspace.uuid(),
            state: import.state.as_str().to_owned(),
            phase: import.progress.phase.as_str().to_owned(),
            percent: import.percent().into(),
            objects: import.progress.objects,
            objects_total: import.progress.total,
            bytes: import.progress.bytes,
            repo_id: repo_id.map(|id| id.uuid()),
            repo_head,
            message: import.message,
            created_at: import.created_at.into(),
            updated_at: import.updated_at.into(),
            finished_at: import.finished_at.map(DateTime::from),
        }
    }
}

impl From<source_import::SourceImport> for SourceImportEvent {
    fn from(import: source_import::SourceImport) -> Self {
        let event = match import.state {
            JobState::Queued | JobState::Running => "import",
            finished => finished.as_str(),
        };
        let data = serde_json::to_string(&SourceImport::from(import));
        let data = data.expect("an import is made of JSON's types");
        Self { event: event.to_owned(), data }
    }
}

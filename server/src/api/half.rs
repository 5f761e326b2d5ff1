//! The envelopes of the two halves: the storage half outside `/v1`, the source half under it.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Problem, RETRY_AFTER_SECONDS};
use crate::model::storage_repo::Rule;

/// One half of the API: how it says that something went wrong.
pub trait Half: From<Problem> + IntoResponse + Send + Sync + 'static {}

/// An error outside `/v1`.
#[derive(Debug)]
pub struct StorageFault(Problem);

/// An error under `/v1`.
#[derive(Debug)]
pub struct SourceFault(Problem);

impl Half for StorageFault {}
impl Half for SourceFault {}

impl<E: Into<Problem>> From<E> for StorageFault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<E: Into<Problem>> From<E> for SourceFault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The half a path belongs to, for what is answered before a route is known.
pub fn answer(path: &str, problem: Problem) -> Response {
    if path == "/v1" || path.starts_with("/v1/") {
        SourceFault(problem).into_response()
    } else {
        StorageFault(problem).into_response()
    }
}

/// What every error outside `/v1` answers.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"success": false, "message": "No such workspace."}))]
pub struct StorageError {
    /// Always `false`.
    success: bool,
    /// What went wrong and what to do about it, in English.
    message: String,
    /// Cause for programs, where one is defined; left out otherwise. `NO_AUTH_USER` goes with every 401.
    /// About storage repos one of `NOT_FOUND` (404), `NAME_ALREADY_USED`,
    /// `MIRROR_MASTER_UNIT_COUNT_INVALID`, `MIRROR_MASTER_UNIT_MISSING`,
    /// `MIRROR_UNIT_ALREADY_IN_OTHER_REPO`, `NORMAL_UNIT_FOLDER_ALREADY_USED`,
    /// `NORMAL_UNIT_FOLDER_CANNOT_DELETE`, `NORMAL_UNIT_CANNOT_EDIT_FOLDER` (400); `QUOTA_EXCEEDED` (429).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_code: Option<String>,
    /// Explanation of `error_code`; left out without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_message: Option<String>,
}

/// What every error under `/v1` answers.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"error": "No such source repo.", "code": "not_found", "message": "No such source repo."}))]
pub struct SourceError {
    /// The same text as `message`, for clients that look for it here.
    error: String,
    /// Cause for programs. One of `source_failed` (400), `missing_api_key`, `invalid_api_key` (401),
    /// `insufficient_permissions` (403), `not_found` (404), `method_not_allowed` (405), `conflict`,
    /// `head_mismatch` (409), `payload_too_large` (413), `unsupported_media_type` (415),
    /// `range_not_satisfiable` (416), `validation_error`, `invalid_parameter`, `missing_required_field` (422), `resource_locked` (423),
    /// `rate_limit_exceeded` (429), `internal_server_error` (500), `service_unavailable` (503).
    code: String,
    /// What went wrong and what to do about it, in English.
    message: String,
    /// For 422, what is wrong in which place; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<Vec<SourceErrorDetail>>,
    /// For `head_mismatch`, the commit that is the head now; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    current_head: Option<String>,
}

/// One thing that is wrong with a request.
#[derive(Serialize, ToSchema, JsonSchema)]
#[schema(example = json!({"loc": ["body", "source", "files", "0", "filename"], "msg": "`..` is not allowed in a path", "type": "invalid_path"}))]
pub struct SourceErrorDetail {
    /// Where: `body`, `query` or `path`, then the keys that lead there. An index into a list is
    /// written as a decimal string.
    loc: Vec<String>,
    /// What is wrong there.
    msg: String,
    /// The kind of mistake, for programs, for instance `missing` or `invalid_path`.
    #[serde(rename = "type")]
    kind: String,
}

impl IntoResponse for StorageFault {
    fn into_response(self) -> Response {
        let problem = self.0;
        let status = match problem.status {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            other => other,
        };
        let headers = headers(&problem);
        let unknown = (status == StatusCode::UNAUTHORIZED).then_some("NO_AUTH_USER");
        let body = StorageError {
            success: false,
            error_code: problem.rule.map(Rule::as_str).or(unknown).map(str::to_owned),
            error_message: problem.rule.map(|_| problem.message.clone()),
            message: problem.message,
        };
        (status, headers, Json(body)).into_response()
    }
}

impl IntoResponse for SourceFault {
    fn into_response(self) -> Response {
        let problem = self.0;
        let headers = headers(&problem);
        let detail = problem.place.map(|loc| {
            let kind = problem.code.to_owned();
            vec![SourceErrorDetail { loc, msg: problem.message.clone(), kind }]
        });
        let body = SourceError {
            error: problem.message.clone(),
            code: problem.code.to_owned(),
            message: problem.message,
            detail,
            current_head: problem.current_head,
        };
        (problem.status, headers, Json(body)).into_response()
    }
}

fn headers(problem: &Problem) -> axum::http::HeaderMap {
    const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
    let mut headers = axum::http::HeaderMap::new();
    match problem.status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Waiting frees no quota.
        StatusCode::TOO_MANY_REQUESTS if problem.rule.is_some() => {}
        StatusCode::LOCKED | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        _ => {}
    }
    if let Some(retry) = problem.retry {
        let value = HeaderValue::from_static(if retry { "true" } else { "false" });
        headers.insert(SHOULD_RETRY, value);
    }
    headers
}

//! The error responses that operations share, as the document lists them. Each operation
//! names the sets that apply to it.
#![allow(dead_code, reason = "read by the document only")]

use utoipa::IntoResponses;

use super::half::{SourceError, StorageError};

/// Any operation of the storage half.
#[derive(IntoResponses)]
pub enum StorageAlways {
    /// The bearer token is missing, unknown, expired or revoked.
    #[response(status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use, `Bearer`.")),
        example = json!({"success": false, "message": "No bearer token was sent. Send one as `Authorization: Bearer <token>`.", "error_code": "NO_AUTH_USER"}))]
    Unauthorized(StorageError),
    /// The caller can see the resource but may not do this. Also the answer to a repo token.
    #[response(status = 403,
        example = json!({"success": false, "message": "This needs the role ADMIN in the workspace; yours is READ."}))]
    Forbidden(StorageError),
    /// The caller sends more requests than the server is set to take; or, without `Retry-After`, the
    /// organisation has as many of these as it may have, and one must be deleted first.
    #[response(status = 429,
        headers(("Retry-After" = u32, description = "Seconds to wait before the next try.")),
        example = json!({"success": false, "message": "Too many requests. Try again in 1 s."}))]
    TooManyRequests(StorageError),
    /// The server failed. The message holds the request id to look for in its log.
    #[response(status = 500,
        example = json!({"success": false, "message": "Internal error. The server's log has the cause under request id 5f1c9a0e-8a8b-4d8e-9d0c-1c2f6b0a7e33."}))]
    Internal(StorageError),
    /// The server is overloaded, or something it depends on did not answer in time.
    #[response(status = 503,
        headers(("Retry-After" = u32, description = "Seconds to wait before the next try.")),
        example = json!({"success": false, "message": "The server is overloaded. Try again in 1 s."}))]
    Unavailable(StorageError),
}

/// An operation on something that may not exist.
#[derive(IntoResponses)]
pub enum StorageAbsent {
    /// It does not exist, or the caller cannot see it.
    #[response(status = 404,
        example = json!({"success": false, "message": "No such workspace."}))]
    NotFound(StorageError),
}

/// An operation that refuses what it is asked for.
#[derive(IntoResponses)]
pub enum StorageInvalid {
    /// The body or a parameter is not valid, or the change is not possible as things stand. The message says why.
    #[response(status = 400,
        example = json!({"success": false, "message": "name: must have 1 to 255 characters"}))]
    BadRequest(StorageError),
}

/// An operation that depends on what is there now.
#[derive(IntoResponses)]
pub enum StorageConflict {
    /// Somebody else changed the same thing meanwhile. Nothing changed; read it again and redo the change.
    #[response(status = 409,
        example = json!({"success": false, "message": "The bucket was changed meanwhile. Read it again and redo the change."}))]
    Conflict(StorageError),
}

/// An operation with a JSON body.
#[derive(IntoResponses)]
pub enum StorageBody {
    /// The body is larger than 50 MiB.
    #[response(status = 413,
        example = json!({"success": false, "message": "The body is larger than 52428800 bytes."}))]
    TooLarge(StorageError),
    /// The body's content type is not `application/json`.
    #[response(status = 415,
        example = json!({"success": false, "message": "Send the body with Content-Type: application/json."}))]
    UnsupportedMediaType(StorageError),
}

/// Any operation of the source half.
#[derive(IntoResponses)]
pub enum SourceAlways {
    /// The bearer token is missing, unknown, expired or revoked.
    #[response(status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use, `Bearer`.")),
        example = json!({"error": "No bearer token was sent. Send one as `Authorization: Bearer <token>`.", "code": "missing_api_key", "message": "No bearer token was sent. Send one as `Authorization: Bearer <token>`."}))]
    Unauthorized(SourceError),
    /// The caller sends more requests than the server is set to take.
    #[response(status = 429,
        headers(("Retry-After" = u32, description = "Seconds to wait before the next try.")),
        example = json!({"error": "Too many requests. Try again in 1 s.", "code": "rate_limit_exceeded", "message": "Too many requests. Try again in 1 s."}))]
    TooManyRequests(SourceError),
    /// The server failed. The message holds the request id to look for in its log.
    #[response(status = 500,
        example = json!({"error": "Internal error. The server's log has the cause under request id 5f1c9a0e-8a8b-4d8e-9d0c-1c2f6b0a7e33.", "code": "internal_server_error", "message": "Internal error. The server's log has the cause under request id 5f1c9a0e-8a8b-4d8e-9d0c-1c2f6b0a7e33."}))]
    Internal(SourceError),
    /// The server is overloaded, or something it depends on did not answer in time.
    #[response(status = 503,
        headers(("Retry-After" = u32, description = "Seconds to wait before the next try.")),
        example = json!({"error": "The server is overloaded. Try again in 1 s.", "code": "service_unavailable", "message": "The server is overloaded. Try again in 1 s."}))]
    Unavailable(SourceError),
}

/// An operation that may take something from elsewhere.
#[derive(IntoResponses)]
pub enum SourceElsewhere {
    /// What was to be taken from elsewhere cannot be fetched or merged. Nothing changed.
    #[response(status = 400,
        example = json!({"error": "The URL has no branch `next`.", "code": "source_failed", "message": "The URL has no branch `next`."}))]
    Failed(SourceError),
}

/// An operation that not everybody who sees the repo may do.
#[derive(IntoResponses)]
pub enum SourceForbidden {
    /// The caller can see the resource but may not do this, or this needs an account token.
    #[response(status = 403,
        example = json!({"error": "This needs the role WRITE in the workspace; yours is READ.", "code": "insufficient_permissions", "message": "This needs the role WRITE in the workspace; yours is READ."}))]
    Forbidden(SourceError),
}

/// An operation on something that may not exist.
#[derive(IntoResponses)]
pub enum SourceAbsent {
    /// What the path or the body names does not exist, or the caller cannot see it.
    #[response(status = 404,
        example = json!({"error": "No such source repo.", "code": "not_found", "message": "No such source repo."}))]
    NotFound(SourceError),
}

/// An operation with parameters or a body.
#[derive(IntoResponses)]
pub enum SourceInvalid {
    /// The body or a parameter is not valid. `detail` names each place.
    #[response(status = 422,
        example = json!({"error": "source.files[0].filename: `..` is not allowed in a path", "code": "validation_error", "message": "source.files[0].filename: `..` is not allowed in a path", "detail": [{"loc": ["body", "source", "files", "0", "filename"], "msg": "`..` is not allowed in a path", "type": "invalid_path"}]}))]
    Invalid(SourceError),
}

/// An operation with a body.
#[derive(IntoResponses)]
pub enum SourceBody {
    /// The body is larger than 50 MiB.
    #[response(status = 413,
        example = json!({"error": "The body is larger than 52428800 bytes.", "code": "payload_too_large", "message": "The body is larger than 52428800 bytes."}))]
    TooLarge(SourceError),
    /// The body's content type is not the documented one.
    #[response(status = 415,
        example = json!({"error": "Send the body with Content-Type: application/json.", "code": "unsupported_media_type", "message": "Send the body with Content-Type: application/json."}))]
    UnsupportedMediaType(SourceError),
}

/// An operation that depends on what is there now.
#[derive(IntoResponses)]
pub enum SourceConflict {
    /// The head is not the expected one, a path would be both a file and a directory, what is merged or patched does not fit, a name is taken, or what is to be cancelled has ended. Nothing changed.
    #[response(status = 409,
        headers(("x-should-retry" = String, description = "Always `false`. The same request would fail again.")),
        example = json!({"error": "The head is not the expected commit. Read the repo again and redo the change.", "code": "head_mismatch", "message": "The head is not the expected commit. Read the repo again and redo the change.", "current_head": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"}))]
    Conflict(SourceError),
}

/// An operation that waits for others.
#[derive(IntoResponses)]
pub enum SourceLocked {
    /// The edit waited too long behind other edits of the repo. It has not happened; send it again.
    #[response(status = 423,
        headers(("Retry-After" = u32, description = "Seconds to wait before the next try."), ("x-should-retry" = String, description = "Always `true`. The same request may succeed later.")),
        example = json!({"error": "The repo is busy with other edits. Try again in 1 s.", "code": "resource_locked", "message": "The repo is busy with other edits. Try again in 1 s."}))]
    Locked(SourceError),
}

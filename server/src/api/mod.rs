//! Door: the JSON API. This file reads as one list of routes; each tag has a file.
//! No rules, no SQL and no files in here: parse, call a service, render.

pub mod access_keys;
pub mod ai_keys;
pub mod ai_llms;
pub mod buckets;
pub mod docs;
pub mod document;
pub mod edits;
pub mod events;
pub mod extract;
pub mod git_sources;
pub mod guard;
pub mod half;
pub mod jobs;
pub mod mirrors;
pub mod observe;
pub mod problem;
pub mod ranges;
pub mod repo_tokens;
pub mod repo_webhooks;
pub mod responses;
pub mod source_branches;
pub mod source_files;
pub mod source_history;
pub mod source_imports;
pub mod source_repos;
pub mod source_search;
pub mod stats;
pub mod storage_repos;
pub mod storage_words;
pub mod strict;
pub mod system;
pub mod tokens;
pub mod users;
pub mod wire;
pub mod witness;
pub mod workspaces;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::model::access::Caller;
use crate::service::Services;
use guard::Guard;
use half::{SourceFault, StorageFault};
use problem::Problem;

/// Largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Who is asking; put there by the guard.
type By = Extension<Caller>;
type Shared = axum::extract::State<Arc<Services>>;

/// The storage half, outside `/v1`.
fn storage() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(workspaces::create_workspace, workspaces::list_workspaces))
        .routes(routes!(
            workspaces::get_workspace,
            workspaces::update_workspace,
            workspaces::delete_workspace
        ))
        .routes(routes!(workspaces::add_workspace_user))
        .routes(routes!(workspaces::update_workspace_user, workspaces::remove_workspace_user))
        .routes(routes!(users::get_profile))
        .routes(routes!(tokens::list_tokens))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(events::list_events))
        .routes(routes!(storage_repos::create_storage_repo, storage_repos::list_storage_repos))
        .routes(routes!(storage_repos::validate_new_storage_repo))
        .routes(routes!(
            storage_repos::get_storage_repo,
            storage_repos::update_storage_repo,
            storage_repos::delete_storage_repo
        ))
        .routes(routes!(storage_repos::validate_storage_repo))
        .routes(routes!(mirrors::get_mirror))
        .routes(routes!(mirrors::repair_mirror))
        .routes(routes!(mirrors::scrub_mirror))
        .routes(routes!(mirrors::restore_objects))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::get_job))
        .routes(routes!(jobs::follow_job))
        .routes(routes!(access_keys::create_access_key, access_keys::list_access_keys))
        .routes(routes!(access_keys::update_access_key, access_keys::delete_access_key))
        .routes(routes!(ai_keys::create_ai_key, ai_keys::list_ai_keys))
        .routes(routes!(ai_keys::update_ai_key, ai_keys::delete_ai_key))
        .routes(routes!(buckets::create_bucket, buckets::list_buckets))
        .routes(routes!(buckets::list_available_buckets))
        .routes(routes!(buckets::get_bucket, buckets::update_bucket, buckets::delete_bucket))
        .routes(routes!(buckets::get_bucket_status))
        .routes(routes!(buckets::validate_bucket))
        .routes(routes!(ai_llms::create_ai_llm, ai_llms::list_ai_llms))
        .routes(routes!(ai_llms::update_ai_llm, ai_llms::delete_ai_llm))
        .routes(routes!(stats::get_repo_stats))
        .routes(routes!(stats::get_bucket_stats))
        .routes(routes!(stats::get_unit_stats))
        .routes(routes!(stats::get_bucket_node_stats))
        .routes(routes!(stats::get_daily_stats))
        .routes(routes!(stats::get_minute_stats))
        .routes(routes!(stats::get_node_stats_minute))
        .routes(routes!(stats::get_node_stats_daily))
        .routes(routes!(stats::get_storage_series))
        .routes(routes!(stats::get_storage_breakdown))
}

/// The source half, under `/v1`.
fn source() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(source_repos::create_source_repo, source_repos::list_source_repos))
        .routes(routes!(source_repos::get_source_repo, source_repos::delete_source_repo))
        .routes(routes!(source_repos::edit_source_repo))
        .routes(routes!(source_repos::clone_source_repo))
        .routes(routes!(source_imports::start_source_import))
        .routes(routes!(source_imports::get_source_import))
        .routes(routes!(source_imports::cancel_source_import))
        .routes(routes!(source_imports::follow_source_import))
        .routes(routes!(repo_tokens::create_repo_token, repo_tokens::list_repo_tokens))
        .routes(routes!(repo_tokens::get_repo_token, repo_tokens::delete_repo_token))
        .routes(routes!(
            repo_webhooks::set_webhook,
            repo_webhooks::get_webhook,
            repo_webhooks::delete_webhook
        ))
        .routes(routes!(repo_webhooks::create_webhook_secret))
        .routes(routes!(repo_webhooks::list_webhook_deliveries))
        .routes(routes!(repo_webhooks::redeliver_webhook))
        .routes(routes!(
            repo_webhooks::set_source_repo_webhook,
            repo_webhooks::get_source_repo_webhook,
            repo_webhooks::delete_source_repo_webhook
        ))
        .routes(routes!(repo_webhooks::create_source_repo_webhook_secret))
        .routes(routes!(repo_webhooks::list_source_repo_webhook_deliveries))
        .routes(routes!(repo_webhooks::redeliver_source_repo_webhook))
        .routes(routes!(source_history::list_commits))
        .routes(routes!(source_history::get_commit))
        .routes(routes!(source_history::diff_commits))
        .routes(routes!(source_history::list_tree))
        .routes(routes!(source_history::archive_source_repo))
        .routes(routes!(source_search::grep_source_repo))
        .routes(routes!(source_search::search_source_repo))
        .routes(routes!(source_search::search_source_files))
        .routes(routes!(source_search::run_agent))
        .routes(routes!(source_search::retrieve_source_files))
        .routes(routes!(source_search::get_embedding_status))
        .routes(routes!(source_branches::list_branches, source_branches::create_branch))
        .routes(routes!(source_branches::get_branch, source_branches::delete_branch))
        .routes(routes!(source_branches::merge_branch))
        .routes(routes!(source_branches::revert_commit))
        .routes(routes!(source_branches::reset_to_commit))
}

/// As OpenAPI can say it; it is served by [`source_files::slashed`].
fn files() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new().routes(routes!(
        source_files::put_source_file,
        source_files::get_source_file,
        source_files::delete_source_file
    ))
}

/// What needs no token.
fn system() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(system::check_health))
        .routes(routes!(system::check_readiness))
        .routes(routes!(system::get_metrics))
}

/// The document of the code: what the routes say of themselves.
pub fn document() -> Document {
    let all = OpenApiRouter::with_openapi(document::Info::openapi())
        .merge(storage())
        .merge(source())
        .merge(files())
        .merge(system());
    document::complete(all.into_openapi())
}

/// The whole door: the API, its documentation, and an answer for everything else. Another door
/// may share the listener.
pub fn router(services: &Arc<Services>, guard: &Arc<Guard>, other: Router) -> Router {
    let storage: Router<_> = storage().into();
    let source: Router<_> = source().into();
    let system: Router<_> = system().into();
    storage
        .route_layer(from_fn_with_state(guard.clone(), guard::admit::<StorageFault>))
        .merge(
            source
                .merge(source_files::slashed())
                .route_layer(from_fn_with_state(guard.clone(), guard::admit::<SourceFault>)),
        )
        .merge(system)
        .with_state(services.clone())
        .merge(docs::routes(document()))
        .merge(other)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(observe::observe))
}

async fn method_not_allowed(uri: axum::http::Uri) -> Response {
    half::answer(uri.path(), Problem::method_not_allowed()).into_response()
}

async fn no_such_path(uri: axum::http::Uri) -> Response {
    half::answer(uri.path(), Problem::no_such_path()).into_response()
}

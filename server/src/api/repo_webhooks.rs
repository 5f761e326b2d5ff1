//! Tag `repo_webhooks`: URLs that are told when source repos change, one for each user and one for each
//! repo.

mod shapes;

use axum::Json;
use axum::http::StatusCode;

use super::extract::{SourceJson, SourcePath, SourceQuery};
use super::half::SourceFault;
use super::repo_tokens::PageQuery;
use super::responses::{SourceAbsent, SourceAlways, SourceBody, SourceForbidden, SourceInvalid};
use super::source_repos::RepoPath;
use super::wire;
use super::{By, Shared};
use crate::service::webhooks;

pub use shapes::{
    DeliveryPath, RepoDeliveryPath, SetWebhookRequest, Webhook, WebhookDeliveryPage, WebhookSecret,
};

type Answer<T> = Result<Json<T>, SourceFault>;
type Done = Result<StatusCode, SourceFault>;

/// Set the caller's webhook
///
/// The URL is told of every source repo that the calling user sees at the time: when one is created or deleted,
/// and when a branch or tag of one moves, be it by an edit or a push. A change of metadata alone is not told.
/// Needs an account token. Setting it again replaces URL and token; the signing secret stays.
///
/// **The request** is a POST of one `WebhookEvent` as JSON, with these headers:
///
/// - `webhook-id`: id of the event, the same each time it is sent, so that the receiver can tell a repetition;
/// - `webhook-timestamp`: when it was sent, in seconds since 1970;
/// - `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}`, as Standard
///   Webhooks has it. The key is what follows `whsec_` in the signing secret, decoded from base64. Several
///   signatures are separated by a space, and one that matches is enough;
/// - `Authorization`: `Bearer` and the token, if one is set.
///
/// **Delivery.** An event is queued in the transaction of the change itself, and sent at least once; order is not
/// promised. Any status from 200 to 299 within 15 s settles it. Otherwise it is tried again, up to 16 times over
/// about two days and at most for three: after 2 s, and three times as long each further time up to 8 h, spread
/// by a quarter. `Retry-After` is heeded up to 1 h; 410 ends it at once. A receiver that does not answer, or
/// answers 429 or 503, is left alone for 1 s, and twice as long each further time up to 5 min. Redirects are not
/// followed, and an answer's body is not read.
///
/// **The URL** must be https, or http in a network that the operator allows, and must not lead into a network
/// that is not allowed. That is checked now and each time it is dialled.
#[utoipa::path(put, path = "/v1/repo_webhook", tag = "repo_webhooks", request_body = SetWebhookRequest,
    responses(
        (status = 204, description = "The webhook is set. No body."),
        SourceAlways, SourceForbidden, SourceBody, SourceInvalid,
    ))]
pub async fn set_webhook(
    services: Shared,
    caller: By,
    body: SourceJson<SetWebhookRequest>,
) -> Done {
    webhooks::set(&services, &caller, None, body.0.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read the caller's webhook
///
/// Needs an account token. One that is not set is 404.
#[utoipa::path(get, path = "/v1/repo_webhook", tag = "repo_webhooks",
    responses(
        (status = 200, description = "The webhook, without its secrets.", body = Webhook),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn get_webhook(services: Shared, caller: By) -> Answer<Webhook> {
    Ok(Json(webhooks::get(&services, &caller, None).await?.into()))
}

/// Remove the caller's webhook
///
/// Its log goes with it, and what was not delivered is not sent any more. Needs an account token.
#[utoipa::path(delete, path = "/v1/repo_webhook", tag = "repo_webhooks",
    responses(
        (status = 204, description = "The webhook is removed. No body."),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn delete_webhook(services: Shared, caller: By) -> Done {
    webhooks::delete(&services, &caller, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a signing secret for the caller's webhook
///
/// The secret is answered this once and cannot be had again. Until the first one is asked for, requests are
/// signed with one that nobody knows. The secret before goes on signing beside the new one for 24 h, so that no
/// event is refused meanwhile. Needs an account token.
#[utoipa::path(post, path = "/v1/repo_webhook/secret", tag = "repo_webhooks",
    responses(
        (status = 200, description = "The new signing secret.", body = WebhookSecret),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn create_webhook_secret(services: Shared, caller: By) -> Answer<WebhookSecret> {
    Ok(Json(webhooks::rotate(&services, &caller, None).await?.into()))
}

/// List deliveries of the caller's webhook
///
/// What was sent or waits to be, newest event first. A delivery stays for seven days, the newest 10,000 at most.
/// Needs an account token.
#[utoipa::path(get, path = "/v1/repo_webhook/deliveries", tag = "repo_webhooks", params(PageQuery),
    responses(
        (status = 200, description = "One page of deliveries.", body = WebhookDeliveryPage),
        SourceAlways, SourceForbidden, SourceAbsent, SourceInvalid,
    ))]
pub async fn list_webhook_deliveries(
    services: Shared,
    caller: By,
    query: SourceQuery<PageQuery>,
) -> Answer<WebhookDeliveryPage> {
    let page = wire::page(query.0.page_start, query.0.page_size)?;
    Ok(Json(webhooks::deliveries(&services, &caller, None, page).await?.into()))
}

/// Send a delivery of the caller's webhook again
///
/// It is due at once, whatever became of it before, and its attempts are counted anew. Needs an account token.
#[utoipa::path(post, path = "/v1/repo_webhook/deliveries/{delivery_id}/redeliver", tag = "repo_webhooks",
    params(DeliveryPath),
    responses(
        (status = 204, description = "The delivery is queued. No body."),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn redeliver_webhook(
    services: Shared,
    caller: By,
    path: SourcePath<DeliveryPath>,
) -> Done {
    webhooks::redeliver(&services, &caller, None, path.0.delivery_id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a source repo's webhook
///
/// The URL is told of this repo only, whoever changes it, as `set_webhook` describes. It is apart from those of
/// users. Needs WRITE in the repo's workspace, and an account token.
#[utoipa::path(put, path = "/v1/repo/{repo_id}/webhook", tag = "repo_webhooks", params(RepoPath),
    request_body = SetWebhookRequest,
    responses(
        (status = 204, description = "The webhook is set. No body."),
        SourceAlways, SourceForbidden, SourceAbsent, SourceBody, SourceInvalid,
    ))]
pub async fn set_source_repo_webhook(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    body: SourceJson<SetWebhookRequest>,
) -> Done {
    webhooks::set(&services, &caller, Some(path.0.repo_id.into()), body.0.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a source repo's webhook
///
/// Needs WRITE in the repo's workspace, since a URL may hold a secret, and an account token.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/webhook", tag = "repo_webhooks", params(RepoPath),
    responses(
        (status = 200, description = "The webhook, without its secrets.", body = Webhook),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn get_source_repo_webhook(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
) -> Answer<Webhook> {
    let repo = Some(path.0.repo_id.into());
    Ok(Json(webhooks::get(&services, &caller, repo).await?.into()))
}

/// Remove a source repo's webhook
///
/// Its log goes with it, and what was not delivered is not sent any more. Needs WRITE in the repo's workspace,
/// and an account token.
#[utoipa::path(delete, path = "/v1/repo/{repo_id}/webhook", tag = "repo_webhooks", params(RepoPath),
    responses(
        (status = 204, description = "The webhook is removed. No body."),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn delete_source_repo_webhook(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
) -> Done {
    webhooks::delete(&services, &caller, Some(path.0.repo_id.into())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a signing secret for a source repo's webhook
///
/// As `create_webhook_secret`. Needs WRITE in the repo's workspace, and an account token.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/webhook/secret", tag = "repo_webhooks", params(RepoPath),
    responses(
        (status = 200, description = "The new signing secret.", body = WebhookSecret),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn create_source_repo_webhook_secret(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
) -> Answer<WebhookSecret> {
    let repo = Some(path.0.repo_id.into());
    Ok(Json(webhooks::rotate(&services, &caller, repo).await?.into()))
}

/// List deliveries of a source repo's webhook
///
/// As `list_webhook_deliveries`. Needs WRITE in the repo's workspace, and an account token.
#[utoipa::path(get, path = "/v1/repo/{repo_id}/webhook/deliveries", tag = "repo_webhooks",
    params(RepoPath, PageQuery),
    responses(
        (status = 200, description = "One page of deliveries.", body = WebhookDeliveryPage),
        SourceAlways, SourceForbidden, SourceAbsent, SourceInvalid,
    ))]
pub async fn list_source_repo_webhook_deliveries(
    services: Shared,
    caller: By,
    path: SourcePath<RepoPath>,
    query: SourceQuery<PageQuery>,
) -> Answer<WebhookDeliveryPage> {
    let page = wire::page(query.0.page_start, query.0.page_size)?;
    let repo = Some(path.0.repo_id.into());
    Ok(Json(webhooks::deliveries(&services, &caller, repo, page).await?.into()))
}

/// Send a delivery of a source repo's webhook again
///
/// As `redeliver_webhook`. Needs WRITE in the repo's workspace, and an account token.
#[utoipa::path(post, path = "/v1/repo/{repo_id}/webhook/deliveries/{delivery_id}/redeliver",
    tag = "repo_webhooks", params(RepoDeliveryPath),
    responses(
        (status = 204, description = "The delivery is queued. No body."),
        SourceAlways, SourceForbidden, SourceAbsent,
    ))]
pub async fn redeliver_source_repo_webhook(
    services: Shared,
    caller: By,
    path: SourcePath<RepoDeliveryPath>,
) -> Done {
    let RepoDeliveryPath { repo_id, delivery_id } = path.0;
    webhooks::redeliver(&services, &caller, Some(repo_id.into()), delivery_id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

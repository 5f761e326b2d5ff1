//! Swagger UI over both documents: the contract, kept by hand, and the one from the code.
//! Everything it needs is served from here.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::OpenApi as Document;
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

/// The contract, as it is in the repository.
pub const CONTRACT: &str = include_str!("../../../openapi/openapi.yaml");

/// These paths describe the API and are no part of it, so the documents do not list them.
pub fn routes(document: Document) -> Router {
    let documents = [
        Url::with_primary("Contract", "/openapi.yaml", true),
        Url::new("From the code", "/api-docs/openapi.json"),
    ];
    let config = Config::new(documents).persist_authorization(true).display_request_duration(true);
    let page = SwaggerUi::new("/docs").config(config).url("/api-docs/openapi.json", document);
    Router::new().route("/openapi.yaml", get(contract)).merge(page)
}

async fn contract() -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], CONTRACT)
}

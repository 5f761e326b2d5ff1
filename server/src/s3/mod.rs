//! Door: the S3 gateway of storage repos. s3s knows the protocol: signatures, routes, XML. What it
//! takes too lightly is checked before it (`guard`) and read beside it (`said`). No rules in here.

mod acl;
mod attributes;
mod buckets;
mod conditions;
mod content;
mod copies;
mod deletes;
mod errors;
mod frames;
mod guard;
mod host;
mod listings;
mod objects;
mod observe;
mod operations;
mod said;
mod settings;
mod signature;
mod tags;
mod upload_lists;
mod uploads;
mod verified;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use s3s::service::S3ServiceBuilder;
use tokio::sync::Semaphore;

use crate::service::Services;
use guard::Guard;
use host::{AnyName, Domain};
use operations::Gateway;
use verified::Verified;

/// How long a client may take until the next piece of its body is here.
const STALL: Duration = Duration::from_secs(60);

/// What the operator sets.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests answered at the same time; one more gets 503.
    pub concurrent: usize,
    /// The domain whose subdomains are buckets.
    pub domain: Option<String>,
}

/// The whole door.
pub fn router(services: &Arc<Services>, limits: Limits) -> Router {
    let domain = limits.domain.map(Domain::new);
    let gateway = Gateway { services: services.clone() };
    let mut operations = S3ServiceBuilder::new(gateway);
    operations.set_auth(guard::Secrets);
    operations.set_access(operations::Access);
    operations.set_validation(AnyName);
    operations.set_config(operations::config());
    let mut signatures = S3ServiceBuilder::new(operations::Nothing);
    signatures.set_auth(guard::Secrets);
    signatures.set_validation(AnyName);
    if let Some(domain) = &domain {
        operations.set_host(domain.clone());
        signatures.set_host(domain.clone());
    }
    signatures.set_route(Verified { operations: operations.build(), domain });
    let guard = Guard { services: services.clone(), signatures: signatures.build(), stall: STALL };
    let slots = observe::Slots {
        services: services.clone(),
        free: Arc::new(Semaphore::new(limits.concurrent)),
    };
    Router::new()
        .fallback(guard::admit)
        .with_state(Arc::new(guard))
        .layer(from_fn_with_state(slots, observe::observe))
}

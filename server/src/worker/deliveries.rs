//! Tells webhooks what happened, several at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::model::time::Timestamp;
use crate::service::{Services, webhooks};

/// Receivers that one process sends to at the same time.
pub const RECEIVERS_AT_ONCE: usize = 32;
/// How often to look for what is due.
const POLL: Duration = Duration::from_millis(500);
/// How often to clear the log.
const TIDY: Duration = Duration::from_mins(10);

/// Runs until told to stop; what is on its way then is sent again later.
pub async fn deliver(services: Arc<Services>, stop: CancellationToken) {
    let owner = Uuid::new_v4().to_string();
    let (mut shifts, mut tidied) = (JoinSet::new(), None::<Instant>);
    while !stop.is_cancelled() {
        while shifts.len() < RECEIVERS_AT_ONCE && begin(&services, &owner, &mut shifts, &stop).await
        {
        }
        if tidied.is_none_or(|tidied| tidied.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            if let Err(error) = webhooks::tidy(&services, Timestamp::now()).await {
                tracing::warn!(%error, "the log of webhooks cannot be cleared");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
            // Whoever comes back may have left something due.
            Some(_) = shifts.join_next() => {}
        }
    }
    while shifts.join_next().await.is_some() {}
}

/// Sends to one more receiver, if there is one to send to.
async fn begin(
    services: &Arc<Services>,
    owner: &str,
    shifts: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> bool {
    let shift = match webhooks::claim(services, owner, Timestamp::now()).await {
        Ok(Some(shift)) => shift,
        Ok(None) => return false,
        Err(error) => {
            tracing::warn!(%error, "deliveries cannot be claimed, to be tried again");
            return false;
        }
    };
    let (services, owner, stop) = (services.clone(), owner.to_owned(), stop.clone());
    shifts.spawn(async move {
        if let Err(error) = webhooks::deliver(&services, &shift, &owner, &stop).await {
            tracing::warn!(%error, "a webhook cannot be given back before its lease ends");
        }
    });
    true
}

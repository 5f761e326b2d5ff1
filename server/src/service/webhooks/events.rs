//! Queues what webhooks are to be told, in the transaction of the change itself, so that neither is
//! without the other.

use crate::model::id::{EventId, SourceRepoId};
use crate::model::time::Timestamp;
use crate::model::webhook::Happening;
use crate::service::{Error, Result};
use crate::store::{Tx, webhook_deliveries, webhooks};

/// Tells all who listen to a repo what happens to it. Every change of a ref calls it, and whatever
/// makes or deletes a repo.
pub async fn announce(
    tx: &mut Tx,
    repo: SourceRepoId,
    happenings: impl IntoIterator<Item = Happening>,
) -> Result<()> {
    let listening = webhooks::listening(tx, repo).await?;
    let Some((_, workspace)) = listening.first() else { return Ok(()) };
    let now = Timestamp::now();
    for happening in happenings {
        let event = happening.into_event(repo, *workspace, now);
        let event = serde_json::to_string(&event).map_err(Error::internal)?;
        let id = EventId::new();
        for (webhook, _) in &listening {
            webhook_deliveries::queue(tx, *webhook, id, &event, now).await?;
        }
    }
    Ok(())
}

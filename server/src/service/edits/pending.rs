//! An edit in the queue: either its actor takes it or its sender gives up on it, never both,
//! so that an edit that was answered with "busy" has surely not happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Edited, Order};
use crate::service::{Error, Result};

pub struct Pending {
    pub order: Arc<Order>,
    taken: Arc<AtomicBool>,
    sender: oneshot::Sender<Result<Edited>>,
}

/// Whoever sets it first has the edit.
pub struct Handle(Arc<AtomicBool>);

pub struct Answer(oneshot::Receiver<Result<Edited>>);

/// The sender gave up before the actor came to the edit.
pub struct Abandoned;

impl Pending {
    pub fn new(order: Order) -> (Self, Answer) {
        let (sender, receiver) = oneshot::channel();
        (Self { order: Arc::new(order), taken: Arc::default(), sender }, Answer(receiver))
    }

    pub fn handle(&self) -> Handle {
        Handle(self.taken.clone())
    }

    /// Whether the actor may run the edit.
    pub fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }

    pub fn answer(self, result: Result<Edited>) {
        // Nobody waits any more when the client has gone.
        let _ = self.sender.send(result);
    }
}

impl Answer {
    pub async fn wait(
        mut self,
        handle: Handle,
        limit: Duration,
    ) -> Result<Result<Edited>, Abandoned> {
        let gone = |_| Error::Unavailable("The server is shutting down. Try again.".to_owned());
        match tokio::time::timeout(limit, &mut self.0).await {
            Ok(answer) => Ok(answer.map_err(gone).flatten()),
            Err(_) if !handle.0.swap(true, Ordering::AcqRel) => Err(Abandoned),
            Err(_) => Ok(self.0.await.map_err(gone).flatten()),
        }
    }
}

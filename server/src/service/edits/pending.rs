//! An edit, or a push, in the queue: either its actor takes it or its sender gives up on it, never both,
//! so that an edit that was answered with "busy" has surely not happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Edited, Order};
use crate::service::{Error, Result};

/// Whoever sets it first has the edit.
type Taken = Arc<AtomicBool>;

pub struct Pending<O = Order, A = Edited> {
    pub order: Arc<O>,
    taken: Taken,
    sender: oneshot::Sender<Result<A>>,
}

/// Dropped before the actor came to the edit, it takes the edit back.
pub struct Answer<A> {
    taken: Taken,
    receiver: oneshot::Receiver<Result<A>>,
}

/// The sender gave up before the actor came to the edit.
pub struct Abandoned;

impl<O, A> Pending<O, A> {
    pub fn new(order: O) -> (Self, Answer<A>) {
        let (sender, receiver) = oneshot::channel();
        let taken = Taken::default();
        let answer = Answer { taken: taken.clone(), receiver };
        (Self { order: Arc::new(order), taken, sender }, answer)
    }

    /// Whether the actor may run the edit.
    pub fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }

    pub fn answer(self, result: Result<A>) {
        // Nobody waits any more when the client has gone.
        let _ = self.sender.send(result);
    }
}

impl<A> Answer<A> {
    pub async fn wait(mut self, limit: Duration) -> Result<Result<A>, Abandoned> {
        let gone = |_| Error::Unavailable("The server is shutting down. Try again.".to_owned());
        match tokio::time::timeout(limit, &mut self.receiver).await {
            Ok(answer) => Ok(answer.map_err(gone).flatten()),
            Err(_) if self.abandon() => Err(Abandoned),
            Err(_) => Ok((&mut self.receiver).await.map_err(gone).flatten()),
        }
    }

    /// Whether the edit was still there to be taken back.
    fn abandon(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }
}

impl<A> Drop for Answer<A> {
    fn drop(&mut self) {
        self.abandon();
    }
}

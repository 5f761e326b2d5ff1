//! What has begun to change something comes to its end, even if the client goes away that asked for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Runs where it is waited for, so that no other thread need be woken for it; once nobody waits any more,
/// it goes on by itself.
pub struct ToEnd<T: 'static>(Option<BoxFuture<'static, T>>);

impl<T> ToEnd<T> {
    pub fn new(tracker: &TaskTracker, work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(tracker.track_future(work).boxed()))
    }
}

impl<T> Future for ToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Out of here meanwhile: what panics has ended.
        let mut work = self.0.take().expect("it is not asked again for what it gave");
        let done = work.poll_unpin(context);
        if done.is_pending() {
            self.0 = Some(work);
        }
        done
    }
}

impl<T> Drop for ToEnd<T> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work.map(drop));
        }
    }
}

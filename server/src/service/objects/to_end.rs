//! What has begun to change something comes to its end, even if the client goes away that asked for it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
        let work = self.0.as_mut().expect("it is not asked again for what it gave");
        let done = ready!(work.poll_unpin(context));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<T> Drop for ToEnd<T> {
    fn drop(&mut self) {
        // What has panicked has ended.
        if let Some(work) = self.0.take().filter(|_| !std::thread::panicking())
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work.map(drop));
        }
    }
}

//! Sends a content on its way: exactly as long as was said, and never its last bytes before its end is
//! known to be good.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::time::Instant;

use super::object::Content;

/// A content that is an error unless it has `length` bytes. One chunk is always held back, so whoever
/// counts bytes never has them all when the content turns out bad.
pub fn exactly(content: Content, length: u64) -> Content {
    let begin = (content.fuse(), length, None::<Bytes>);
    let next = |(mut content, mut left, mut held): (stream::Fuse<Content>, u64, Option<Bytes>)| async move {
        while let Some(chunk) = content.next().await {
            let chunk = chunk?;
            if chunk.is_empty() {
                continue;
            }
            left = left.checked_sub(chunk.len() as u64).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "it is longer than was said")
            })?;
            if let Some(before) = held.replace(chunk) {
                return Ok(Some((before, (content, left, held))));
            }
        }
        if left > 0 {
            let early = "it is shorter than was said";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, early));
        }
        Ok(held.map(|last| (last, (content, left, None))))
    };
    stream::try_unfold(begin, next).boxed()
}

/// A content that a provider takes, and whose turn it is: the provider's or the content's.
pub struct Paced {
    content: Content,
    pace: Pace,
}

/// Watches a [`Paced`] content from outside.
#[derive(Clone)]
pub struct Pace(Arc<State>);

struct State {
    /// Since when it is the provider's turn.
    turn: Mutex<Option<Instant>>,
    fault: OnceLock<String>,
}

impl Paced {
    pub fn new(content: Content) -> (Self, Pace) {
        let turn = Mutex::new(Some(Instant::now()));
        let pace = Pace(Arc::new(State { turn, fault: OnceLock::new() }));
        (Self { content, pace: pace.clone() }, pace)
    }
}

impl Stream for Paced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.content.poll_next_unpin(context);
        *self.pace.turn() = polled.is_ready().then(Instant::now);
        if let Poll::Ready(Some(Err(error))) = &polled {
            self.pace.0.fault.get_or_init(|| error.to_string());
        }
        polled
    }
}

impl Pace {
    fn turn(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with the content, if that is why it was not taken.
    pub fn fault(&self) -> Option<String> {
        self.0.fault.get().cloned()
    }

    /// Ends when the provider has done nothing for this long while it was its turn. A slow content is
    /// not the provider's fault. Turns change with every chunk, so nobody is woken by that.
    pub async fn stalled(&self, patience: Duration) {
        loop {
            let (now, since) = (Instant::now(), *self.turn());
            let until = since.unwrap_or(now) + patience;
            if since.is_some() && until <= now {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, TryStreamExt};

    use super::*;

    fn content(chunks: &[&'static str]) -> Content {
        let chunks: Vec<_> =
            chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        stream::iter(chunks).boxed()
    }

    #[tokio::test]
    async fn a_content_of_another_length_never_brings_all_it_promised() {
        for (chunks, length) in [
            (&["abc"][..], 4),
            (&["ab", "c"], 2),
            (&["abc"], 2),
            (&[], 1),
            (&["a"], 0),
            (&["a", "", "b"], 3),
        ] {
            let mut checked = exactly(content(chunks), length);
            let mut came = 0;
            let error = loop {
                match checked.try_next().await {
                    Ok(chunk) => came += chunk.expect("an error before the end").len() as u64,
                    Err(error) => break error,
                }
            };
            assert!(came < length.max(1), "{chunks:?} {length}: {error}");
        }
    }

    #[tokio::test]
    async fn a_content_of_its_length_comes_whole() {
        for chunks in [&["a", "", "bc"][..], &["abc"], &["a", "b", "c", ""]] {
            let all: Vec<Bytes> =
                exactly(content(chunks), 3).try_collect().await.expect("a content");
            assert_eq!(all.concat(), b"abc");
        }
        assert!(exactly(content(&[""]), 0).try_next().await.expect("a content").is_none());
    }

    #[tokio::test]
    async fn only_the_one_whose_turn_it_is_can_stall() {
        let (mut paced, pace) = Paced::new(content(&["a"]).chain(stream::pending()).boxed());
        assert!(paced.next().await.is_some());
        let patience = Duration::from_millis(1);
        pace.stalled(patience).await;
        assert!(paced.next().now_or_never().is_none());
        // Long enough for the timer that the first has ended by.
        let later = Duration::from_millis(20);
        tokio::time::timeout(later, pace.stalled(patience)).await.expect_err("not its turn");
    }
}

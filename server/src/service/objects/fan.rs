//! Sends one content to several buckets at once. One that hangs or is very slow is left out, so that nobody
//! waits for it; what it missed is a debt. To pay that costs more than to wait a little, and most when all
//! are busy, so one that is merely slower than the others is waited for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, ready, select_all};
use futures::stream::{FuturesUnordered, iter, unfold};
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::backend::buckets::{BucketError, Content};

/// Pieces of a content that wait for a bucket, and those that whoever sends them to it may have in hand:
/// one is held back until it is known whether the content is good. They bound the memory of a write.
const QUEUE: usize = 1;
const IN_HAND: usize = 3;
/// Largest content, in bytes, that need not wait for its buckets, how many of those there are at most at once,
/// and into how many pieces they fit: a bucket with much else to do gets all there is when its turn comes.
const AHEAD_BYTES_MAX: u64 = 1024 * 1024;
const AHEAD_AT_ONCE: usize = 4;
const AHEAD_PIECES: usize = 18;

/// How fast a bucket has to be that the others wait for, in bytes per second. How fast they would be
/// without it cannot be known, as what they are sent waits in sockets.
const PACE_MIN: f64 = 1024.0 * 1024.0;

pub type Done<T> = Result<T, BucketError>;

/// Room for contents that are ahead of their buckets.
pub struct Ahead(Arc<Semaphore>);

impl Default for Ahead {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AHEAD_AT_ONCE)))
    }
}

impl Ahead {
    pub fn room(&self, length: u64) -> Option<OwnedSemaphorePermit> {
        let fits = length <= AHEAD_BYTES_MAX;
        fits.then(|| self.0.clone().try_acquire_owned().ok()).flatten()
    }
}

/// A content on its way to each `M`.
pub struct Fan<M, T> {
    lanes: Vec<Lane<M, T>>,
    begun: Instant,
    bytes: f64,
    stall: Duration,
    _ahead: Option<OwnedSemaphorePermit>,
}

struct Lane<M, T> {
    member: M,
    pieces: Pieces,
    done: BoxFuture<'static, Done<T>>,
    /// For how long the others waited for it.
    held_up: Duration,
}

/// What a bucket is still to get.
enum Pieces {
    /// An empty piece is the end.
    Open(mpsc::Sender<Bytes>),
    /// Nothing: it has all, or takes no more and is about to say why.
    Done,
    /// Nothing: it was too late, and is left out.
    Late,
}

impl<M: Clone, T: Send + 'static> Fan<M, T> {
    /// Begins to write with each member as `write` says.
    pub fn open(
        members: &[M],
        stall: Duration,
        ahead: Option<OwnedSemaphorePermit>,
        write: impl Fn(M, Content) -> BoxFuture<'static, Done<T>>,
    ) -> Self {
        let (waiting, in_hand) =
            if ahead.is_some() { (AHEAD_PIECES, AHEAD_PIECES) } else { (QUEUE, IN_HAND) };
        let lane = |member: &M| {
            let (pieces, queue) = mpsc::channel(waiting);
            let done = tokio::spawn(write(member.clone(), until_end(queue, in_hand)));
            let done =
                AbortOnDropHandle::new(done).map(|done| done.unwrap_or(Err(BucketError::TimedOut)));
            Lane {
                member: member.clone(),
                pieces: Pieces::Open(pieces),
                done: done.boxed(),
                held_up: Duration::ZERO,
            }
        };
        Self::of(members.iter().map(lane).collect(), stall, ahead)
    }

    /// As [`Self::open`], with a content that is here already, and good.
    pub fn of_whole(
        members: &[M],
        stall: Duration,
        content: &[Bytes],
        write: impl Fn(M, Content) -> BoxFuture<'static, Done<T>>,
    ) -> Self {
        let lane = |member: &M| {
            let content: Vec<_> = content.iter().cloned().map(Ok).collect();
            let done = write(member.clone(), iter(content).boxed());
            Lane { member: member.clone(), pieces: Pieces::Done, done, held_up: Duration::ZERO }
        };
        Self::of(members.iter().map(lane).collect(), stall, None)
    }

    fn of(lanes: Vec<Lane<M, T>>, stall: Duration, ahead: Option<OwnedSemaphorePermit>) -> Self {
        Self { lanes, begun: Instant::now(), bytes: 0.0, stall, _ahead: ahead }
    }

    /// Sends a piece to all that are still there; false if nobody is.
    pub async fn send(&mut self, piece: Bytes) -> bool {
        let begun = Instant::now();
        self.bytes += piece.len() as f64;
        let at_most = self.stall.max(Duration::from_secs_f64(self.bytes / PACE_MIN));
        let mut waiting = FuturesUnordered::new();
        let (mut first, mut late) = (None, vec![]);
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let Pieces::Open(pieces) = &lane.pieces else { continue };
            match pieces.try_send(piece.clone()) {
                Ok(()) => first = Some(Duration::ZERO),
                Err(TrySendError::Closed(_)) => lane.pieces = Pieces::Done,
                Err(TrySendError::Full(piece)) => {
                    let pieces = pieces.clone();
                    late.push(index);
                    waiting.push(async move { (index, pieces.send(piece).await.is_ok()) });
                }
            }
        }
        while !waiting.is_empty() {
            // As long as nobody has taken it, it is for the buckets' own patience to end.
            let patience = first.map_or(Duration::MAX, |_| self.stall);
            let Ok(Some((index, sent))) = timeout(patience, waiting.next()).await else { break };
            late.retain(|other| *other != index);
            let lane = &mut self.lanes[index];
            if !sent {
                lane.pieces = Pieces::Done;
                continue;
            }
            let took = begun.elapsed();
            lane.held_up += took - *first.get_or_insert(took);
            if lane.held_up > at_most {
                lane.pieces = Pieces::Late;
            }
        }
        drop(waiting);
        for index in late {
            self.lanes[index].pieces = Pieces::Late;
        }
        self.lanes.iter().any(|lane| matches!(lane.pieces, Pieces::Open(_)))
    }

    /// Says that the content is whole, and waits for what comes of it. Once `enough` have it, the
    /// others have little time left, or as much as it has taken so far.
    pub async fn finish(self, enough: usize) -> Vec<(M, Done<T>)> {
        let mut running = self.lanes;
        for lane in &mut running {
            match std::mem::replace(&mut lane.pieces, Pieces::Done) {
                Pieces::Open(pieces) => {
                    if let Err(TrySendError::Full(end)) = pieces.try_send(Bytes::new()) {
                        tokio::spawn(async move { pieces.send(end).await });
                    }
                }
                Pieces::Done => {}
                Pieces::Late => lane.done = ready(so_far(&mut lane.done)).boxed(),
            }
        }
        let mut ended = Vec::with_capacity(running.len());
        let (mut good, mut patience) = (0, Duration::MAX);
        while !running.is_empty() {
            if good >= enough {
                patience = patience.min(self.stall.max(self.begun.elapsed()));
            }
            let next = select_all(running.iter_mut().map(|lane| &mut lane.done));
            let Ok((done, index, _)) = timeout(patience, next).await else { break };
            good += usize::from(done.is_ok());
            ended.push((running.remove(index).member, done));
        }
        for mut lane in running {
            ended.push((lane.member, so_far(&mut lane.done)));
        }
        ended
    }
}

/// What came of a write that nobody waits for any more: it may have ended by itself.
fn so_far<T>(done: &mut BoxFuture<'static, Done<T>>) -> Done<T> {
    done.now_or_never().unwrap_or(Err(BucketError::TimedOut))
}

/// The pieces before an empty one. Without one they end in an error, so that nothing becomes an object.
fn until_end(queue: mpsc::Receiver<Bytes>, in_hand: usize) -> Content {
    let in_hand = Arc::new(Semaphore::new(in_hand));
    let next = move |queue: Option<mpsc::Receiver<Bytes>>| {
        let in_hand = in_hand.clone();
        async move {
            let mut queue = queue?;
            let room = in_hand.acquire_owned().await.ok()?;
            match queue.recv().await {
                Some(piece) if piece.is_empty() => None,
                Some(piece) => {
                    Some((Ok(Bytes::from_owner(InHand { piece, _room: room })), Some(queue)))
                }
                None => {
                    let broken = std::io::ErrorKind::UnexpectedEof;
                    Some((Err(std::io::Error::new(broken, "it was broken off")), None))
                }
            }
        }
    };
    unfold(Some(queue), next).boxed()
}

/// A piece that makes room for another one when it has been sent.
struct InHand {
    piece: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for InHand {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: &[u8] = &[0; 64 * 1024];
    const PIECES: u32 = 200;
    const STALL: Duration = Duration::from_millis(100);

    /// Writes to a bucket that takes a piece in 10 ms, and to one that takes so many times as long for it,
    /// and so long to answer. Whether each took it all.
    async fn beside_one_that_takes(times: u32, answer: Duration) -> [bool; 2] {
        let mut fan = Fan::open(&[(1, Duration::ZERO), (times, answer)], STALL, None, take);
        for _ in 0..PIECES {
            assert!(fan.send(Bytes::from_static(PIECE)).await);
        }
        let mut ended = fan.finish(1).await;
        ended.sort_by_key(|(bucket, _)| *bucket);
        let good: Vec<_> = ended.iter().map(|(_, done)| matches!(done, Ok(PIECES))).collect();
        good.try_into().expect("two buckets")
    }

    fn take(
        (times, answer): (u32, Duration),
        mut content: Content,
    ) -> BoxFuture<'static, Done<u32>> {
        Box::pin(async move {
            let mut taken = 0;
            while let Some(piece) = content.next().await {
                piece.map_err(|error| BucketError::Content(error.to_string()))?;
                tokio::time::sleep(Duration::from_millis(10) * times).await;
                taken += 1;
            }
            tokio::time::sleep(answer).await;
            Ok(taken)
        })
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slower_is_waited_for() {
        assert_eq!(beside_one_that_takes(5, Duration::ZERO).await, [true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_very_slow_is_left_out() {
        assert_eq!(beside_one_that_takes(7, Duration::ZERO).await, [true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_late_has_as_long_as_the_write_took() {
        for (seconds, waited_for) in [(3, true), (5, false)] {
            let answer = Duration::from_secs(seconds);
            assert_eq!(beside_one_that_takes(2, answer).await, [true, waited_for]);
        }
    }
}

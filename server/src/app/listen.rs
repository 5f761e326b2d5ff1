//! Accepts connections, with a bound on their number, on how long headers may take and on how long
//! nothing of an answer is taken, and drains them when the server stops. Until the last has finished,
//! new ones are still answered.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

/// How long a peer may take until the headers of its next request are here, and so how long an
/// idle connection is kept. Longer than clients keep theirs, so that they are the ones to close.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(120);
/// Most of a request that waits in memory to be read, headers included, in bytes. Sent on as it is, a piece
/// of 64 KiB would take two segments of the kernel's, the second one nearly empty.
const PIECE_BYTES_MAX: usize = 60 * 1024;
/// Most headers of a request on a listener that is to stay small.
const HEADERS_MAX: usize = 128;
/// Pause after a failed accept, so that a full file table does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a peer may take nothing of its answer; then the connection is cut.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// What a listener speaks.
#[derive(Clone, Copy, Debug)]
pub enum Speech {
    /// HTTP/1.1 and HTTP/2.
    Any,
    /// HTTP/1.1, in pieces of a bounded size: many long bodies at once stay small in memory.
    Small,
}

/// Bounds of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub connections: usize,
    /// How long requests have to finish when the server stops.
    pub drain: Duration,
    pub write: Duration,
}

pub async fn serve(
    listener: TcpListener,
    router: Router,
    speech: Speech,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT);
    if let Speech::Small = speech {
        builder = builder.http1_only();
        builder.http1().max_buf_size(PIECE_BYTES_MAX).max_headers(HEADERS_MAX);
    }
    builder.http2().timer(TokioTimer::new());
    let (builder, service) = (Arc::new(builder), TowerToHyperService::new(router));
    let slots = Arc::new(Semaphore::new(bounds.connections));
    let take_each = async |connections: &GracefulShutdown| {
        loop {
            let (stream, slot) = accept(&listener, &slots).await;
            let mut stream = Box::pin(TimeoutStream::new(stream));
            stream.as_mut().set_write_timeout_pinned(Some(bounds.write));
            let watcher = connections.watcher();
            let (builder, service) = (builder.clone(), service.clone());
            tokio::spawn(async move {
                let connection = builder.serve_connection(TokioIo::new(stream), service);
                if let Err(error) = watcher.watch(connection).await {
                    tracing::debug!(error, "connection ended early");
                }
                drop(slot);
            });
        }
    };

    let (connections, late) = (GracefulShutdown::new(), GracefulShutdown::new());
    let _ = stop.run_until_cancelled(take_each(&connections)).await;
    let quiet = async {
        // Who comes while others finish hears that the server stops, rather than nothing.
        tokio::select! {
            () = connections.shutdown() => {}
            () = take_each(&late) => {}
        }
        late.shutdown().await;
    };
    if tokio::time::timeout(bounds.drain, quiet).await.is_err() {
        tracing::warn!("connections were cut: they did not finish in {} s", bounds.drain.as_secs());
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers must not wait for the peer's delayed acknowledgement.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
                }
                return (stream, slot);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn who_stops_reading_is_cut_off() {
        let (held, mut dropped) = tokio::sync::mpsc::channel::<()>(1);
        let endless = async move || {
            let held = held.clone();
            let pieces = futures::stream::repeat_with(move || {
                let _ = &held;
                Ok::<_, std::convert::Infallible>(Bytes::from_static(&[0; 65_536]))
            });
            Body::from_stream(pieces)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let bounds = Bounds {
            connections: 1,
            drain: Duration::from_secs(5),
            write: Duration::from_millis(50),
        };
        let stop = CancellationToken::new();
        let router = Router::new().fallback(endless);
        let serving = tokio::spawn(serve(listener, router, Speech::Any, bounds, stop.clone()));
        let mut client = TcpStream::connect(address).await.expect("a connection");
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("a request");
        client.readable().await.expect("the beginning of an answer");
        stop.cancel();
        serving.await.expect("the server ends");
        let dropped = tokio::time::timeout(bounds.drain, dropped.recv()).await;
        assert_eq!(dropped, Ok(None), "the answer is let go");
    }
}

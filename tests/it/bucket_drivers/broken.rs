//! A provider that dies or falls silent in the middle of an object is found out in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use repoplane::backend::buckets::{Attributes, BucketDriver, BucketError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{buckets, content, each_protocol, quiet};
use crate::support::clouds::Cloud;

const BEGUN: &str = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nX-Goog-Generation: 1\r\n\
                     Content-Length: 1000\r\n\r\n0123456789";
/// What Google, asked apart for it, says about an object.
const DESCRIBED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 48\r\n\r\n\
                         {\"name\": \"a\", \"size\": \"1000\", \"generation\": \"1\"}";
const ASKED_APART: &[u8] = b"GET /storage/v1/b/b/o/a HTTP";
const CHUNK: usize = 64 * 1024;
/// More than all that is on the way can hold.
const CHUNKS: usize = 16 * 1024;

/// A server that reads the head of each request, says something, and then dies or falls silent.
async fn serve(said: &'static str, dies: bool) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut silent: Vec<TcpStream> = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut head).await.expect("a request") == 0 {
                    break;
                }
            }
            let apart = said == BEGUN && head.starts_with(ASKED_APART);
            let said = if apart { DESCRIBED } else { said };
            stream.write_all(said.as_bytes()).await.expect("said");
            if !dies {
                silent.push(stream);
            }
        }
    });
    format!("http://{address}")
}

/// A bucket of each protocol at such a server.
async fn drivers(said: &'static str, dies: bool) -> Vec<Box<dyn BucketDriver>> {
    let patience = if dies { Duration::from_secs(60) } else { Duration::from_millis(100) };
    let buckets = buckets().with_patience(patience);
    let targets = each_protocol(&serve(said, dies).await).await;
    let opened = targets.iter().map(|target| buckets.open(target));
    futures::future::try_join_all(opened).await.expect("drivers")
}

fn fits(error: &BucketError, dies: bool) -> bool {
    match error {
        BucketError::Unreachable(_) => dies,
        BucketError::TimedOut => !dies,
        _ => false,
    }
}

#[tokio::test]
async fn a_get_that_does_not_go_on_ends() {
    for dies in [true, false] {
        for bucket in drivers(BEGUN, dies).await {
            let mut body = bucket.get("a", None).await.expect("an object").body;
            let begun = body.try_next().await.expect("a chunk").expect("a chunk");
            assert_eq!(begun, "0123456789");
            let error = quiet(body.try_next().await.expect_err("no more"));
            assert!(fits(&error, dies), "{error:?}");
        }
        for bucket in drivers("", dies).await {
            let error = quiet(bucket.get("a", None).await.err().expect("no answer"));
            assert!(fits(&error, dies), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_put_that_is_not_taken_ends() {
    for dies in [true, false] {
        for bucket in drivers("", dies).await {
            let taken = Arc::new(AtomicUsize::new(0));
            let count = taken.clone();
            let chunk = Bytes::from(vec![0; CHUNK]);
            let chunks = stream::iter(0..CHUNKS).map(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(chunk.clone())
            });
            let (length, none) = ((CHUNK * CHUNKS) as u64, Attributes::default());
            let put = bucket.put("a", length, &none, chunks.boxed());
            let error = quiet(put.await.expect_err("not taken"));
            assert!(fits(&error, dies), "{error:?}");
            // Nobody gathers what the other side does not take.
            assert!(taken.load(Ordering::Relaxed) < CHUNKS / 4);
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    for bucket in drivers("", false).await {
        for text in ["", "all of it"] {
            let none = Attributes::default();
            let put = bucket.put("a", text.len() as u64, &none, content(text));
            let error = quiet(put.await.expect_err("no answer"));
            assert!(matches!(error, BucketError::TimedOut), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_neither_reads_nor_writes() {
    for cloud in [Cloud::rclone().await, Cloud::azurite().await].into_iter().flatten() {
        cloud.make("bucket").await;
        let mut wrong = cloud.target("bucket");
        wrong.secret = Some(super::SECRET.into());
        let bucket = buckets().open(&wrong).await.expect("a driver");
        let put = bucket.put("a", 1, &Attributes::default(), content("a")).await;
        let get = bucket.get("a", None).await.map(drop);
        let head = bucket.head_object("a").await.map(drop);
        for answer in [put.map(drop), get, head, bucket.delete("a").await] {
            let error = quiet(answer.expect_err("a wrong secret"));
            assert!(matches!(error, BucketError::Credential), "{error:?}");
        }
    }
}

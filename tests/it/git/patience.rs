//! Pushes that take long to be stored: their clients hear that somebody is at it.

use std::net::SocketAddr;
use std::time::Duration;

use repoplane::config::ObjectsS3;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::stage::{Work, url_of};
use crate::durability::Numbers;
use crate::support::faulty_cloud::{FaultyCloud, On};
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

/// A frame with nothing in it, as it stands in the answer to a push.
const SIGN_OF_LIFE: &[u8] = b"0005\x01";

/// Whoever hears nothing for so long hears nothing at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to a server on which signs of life are counted.
struct Listening {
    address: SocketAddr,
    signs: watch::Sender<usize>,
}

impl Listening {
    async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let signs = watch::Sender::new(0);
        let counted = signs.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(target).await.expect("the server");
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                let ignored = watch::Sender::new(0);
                tokio::spawn(pass(near_in, far_out, ignored));
                tokio::spawn(pass(far_in, near_out, counted.clone()));
            }
        });
        Self { address, signs }
    }

    fn signs(&self) -> usize {
        *self.signs.borrow()
    }

    /// Waits until so many more were heard.
    async fn heard(&self, more: usize) {
        let before = self.signs();
        let mut signs = self.signs.subscribe();
        let heard = signs.wait_for(|signs| *signs >= before + more);
        let heard = tokio::time::timeout(PATIENCE, heard).await.expect("signs of life");
        heard.expect("a proxy that runs");
    }
}

/// Passes on what comes, and counts the signs of life in it.
async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    signs: watch::Sender<usize>,
) {
    let (mut piece, mut seen) = (vec![0; 64 * 1024], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        seen.extend_from_slice(&piece[..length]);
        while let Some(at) = seen.windows(SIGN_OF_LIFE.len()).position(|part| part == SIGN_OF_LIFE)
        {
            seen.drain(..at + SIGN_OF_LIFE.len());
            signs.send_modify(|signs| *signs += 1);
        }
        seen.drain(..seen.len().saturating_sub(SIGN_OF_LIFE.len() - 1));
        if to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    // The other side may have gone.
    let _ = to.shutdown().await;
}

#[tokio::test]
async fn a_push_that_is_stored_slowly_is_kept_alive() {
    let cloud = FaultyCloud::start().await;
    let server = Server::start_with(|config| {
        config.objects = Some("s3://packs/here".to_owned());
        config.objects_s3 = ObjectsS3 {
            endpoint: Some(cloud.url.clone()),
            region: None,
            key: Some("key".to_owned()),
            secret: Some("secret".to_owned()),
        };
        config.git.keep_alive_seconds = 1;
    });
    let server = server.await;
    let way = Listening::to(server.address()).await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let url = url_of(&format!("http://{}", way.address), repo.id, OWNER_TOKEN);
    let work = Work::clone(&url, &[]).await;
    let mut numbers = Numbers(21);

    // Too large for a row of the database, so that it goes to the cloud.
    let pushed = work.commit(&[("large", &numbers.text(900_000))]).await;
    let gate = cloud.hold_before(On::Put);
    let (said, ()) = tokio::join!(work.push(&["main"]), async {
        gate.reached().await;
        way.heard(2).await;
        assert_ne!(repo.head().await, pushed, "it is not durable yet");
        gate.open();
    });
    said.well();
    assert_eq!(repo.head().await, pushed);
    Work::clone(&url, &[]).await.fsck().await;

    // What fails in the end is told in git's words, though the answer had begun well.
    work.commit(&[("lost", &numbers.text(900_000))]).await;
    let gate = cloud.hold_before(On::Put);
    let (said, ()) = tokio::join!(work.push(&["main"]), async {
        gate.reached().await;
        way.heard(1).await;
        repo.delete().await.expect("deleted");
        gate.open();
    });
    let words = said.refused();
    assert!(words.contains("remote rejected") || words.contains("remote unpack failed"), "{words}");
    server.stop().await;
}

/// Nothing but the report, however busy the machine is.
#[tokio::test]
async fn who_need_not_wait_hears_no_sign_of_life() {
    let server = Server::start_with(|config| config.git.keep_alive_seconds = 600).await;
    let way = Listening::to(server.address()).await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let url = url_of(&format!("http://{}", way.address), repo.id, OWNER_TOKEN);
    let work = Work::clone(&url, &[]).await;
    let pushed = work.commit(&[("small", "1")]).await;
    work.push(&["main"]).await.well();
    assert_eq!((repo.head().await, way.signs()), (pushed, 0));
    server.stop().await;
}

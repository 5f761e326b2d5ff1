//! A scrub finds exactly what is not as it should be, and it is mended.

use super::stage::Mirror;
use crate::support::Server;

const KEYS: [&str; 5] = ["a", "b", "c", "d/e", "f"];

#[tokio::test]
async fn lost_objects_are_found_and_brought_back() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 2, &KEYS).await;
    mirror.lose(1, "b");
    mirror.lose(1, "d/e");
    let before = mirror.member(1).await;
    let jobs = mirror.scrub(false).await;
    let [first, second] = &jobs[..] else { panic!("a job of each bucket: {jobs:?}") };
    let (first, second) = (mirror.end(first.id).await, mirror.end(second.id).await);
    for job in [&first, &second] {
        assert_eq!((job.kind.as_str(), job.state.as_str()), ("survey", "done"));
        assert_eq!((job.total, job.done, job.percent), (Some(5), 5, Some(100)));
    }
    assert_eq!((first.found, second.found), (0, 2));
    mirror.stage.until_alike().await;
    for key in KEYS {
        assert_eq!(mirror.stage.copy(1, key).await.as_deref(), Some(key.as_bytes()), "{key}");
    }
    let after = mirror.member(1).await;
    assert!(after.last_scrub_at > before.last_scrub_at);
    assert_eq!(after.last_read_at, None, "nobody has read it");
    server.stop().await;
}

#[tokio::test]
async fn damaged_content_is_found_by_reading_only() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 2, &KEYS).await;
    mirror.damage(1, "f");
    let [_, listed] = &mirror.scrub(false).await[..] else { panic!("two jobs") };
    assert_eq!(mirror.end(listed.id).await.found, 0);
    let [intact, read] = &mirror.scrub(true).await[..] else { panic!("two jobs") };
    assert_eq!(mirror.end(intact.id).await.found, 0);
    assert_eq!(mirror.end(read.id).await.found, 1);
    assert!(mirror.member(1).await.last_read_at.is_some());
    mirror.stage.until_alike().await;
    assert_eq!(mirror.stage.copy(1, "f").await.as_deref(), Some(&b"f"[..]));
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_that_is_compared_already_keeps_its_job() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 2, &KEYS).await;
    mirror.take_away(1);
    let [_, waiting] = &mirror.scrub(false).await[..] else { panic!("two jobs") };
    let [_, again] = &mirror.scrub(false).await[..] else { panic!("two jobs") };
    assert_eq!(again.id, waiting.id);
    let [_, reading] = &mirror.scrub(true).await[..] else { panic!("two jobs") };
    assert_ne!(reading.id, waiting.id, "one that only lists does not read");
    mirror.bring_back(1);
    // Asked for once more, it does not wait until it is its turn.
    mirror.scrub(false).await;
    mirror.scrub(true).await;
    for id in [waiting.id, reading.id] {
        let job = mirror.end(id).await;
        assert_eq!((job.state.as_str(), job.found), ("done", 0), "{job:?}");
    }
    server.stop().await;
}

//! A power cut may undo the last change of the catalog: a write is acknowledged as soon as its intent is
//! durable and all buckets hold it. With SQLite; PostgreSQL makes every change durable first.

use std::path::Path;

use repoplane::service::objects::ObjectError;
use repoplane::service::objects::listing::ListRequest;
use rusqlite::Connection;

use super::stage::Broken;
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, FaultyCloud, Moment, On};

/// Keeps what a cut needs: the last intent that has ended, and what the catalog said before; until there is
/// another one, since a cut that undoes the first leaves nothing of the second.
const WATCH: &str = "
    CREATE TABLE IF NOT EXISTS cut_intents AS SELECT * FROM intents WHERE 0;
    CREATE TABLE IF NOT EXISTS cut_objects AS SELECT * FROM objects WHERE 0;
    CREATE TRIGGER IF NOT EXISTS cut AFTER DELETE ON intents BEGIN
        DELETE FROM cut_intents;
        DELETE FROM cut_objects;
        INSERT INTO cut_intents SELECT OLD.space_id, OLD.key, OLD.version, OLD.node, OLD.lease_until,
            OLD.object, OLD.told;
        INSERT INTO cut_objects SELECT * FROM objects
            WHERE space_id = OLD.space_id AND key = OLD.key;
    END;
    CREATE TRIGGER IF NOT EXISTS cut_later AFTER INSERT ON intents BEGIN
        DELETE FROM cut_intents;
        DELETE FROM cut_objects;
    END;";

/// Undoes the end of that write, if nobody waited for it.
const CUT: &str = "
    DROP TRIGGER cut_later;
    DELETE FROM cut_intents WHERE told = 0
        OR EXISTS (SELECT 1 FROM debts d WHERE d.space_id = cut_intents.space_id AND d.key = cut_intents.key);
    DELETE FROM objects WHERE (space_id, key) IN (SELECT space_id, key FROM cut_intents);
    INSERT INTO objects SELECT * FROM cut_objects
        WHERE (space_id, key) IN (SELECT space_id, key FROM cut_intents);
    INSERT INTO intents SELECT * FROM cut_intents;";

fn open(folder: &Path) -> Option<Connection> {
    let file = folder.join("repoplane.db");
    file.exists().then(|| Connection::open(file).expect("the database"))
}

/// Begins to keep what a cut needs; false with PostgreSQL.
pub async fn watch(server: &Server) -> bool {
    let folder = server.folder().to_owned();
    // The server runs on this thread, and cannot end a transaction while that waits for the database.
    let watching = tokio::task::spawn_blocking(move || {
        let database = open(&folder);
        database.as_ref().inspect(|database| database.execute_batch(WATCH).expect("triggers"));
        database.is_some()
    });
    watching.await.expect("triggers")
}

/// What the server left when it stopped, as a power cut would have left it. How many writes it undid.
pub fn cut(folder: &Path) -> u32 {
    let Some(database) = open(folder) else { return 0 };
    database.execute_batch(CUT).expect("a cut");
    let undone = "SELECT COUNT(*) FROM cut_intents";
    let undone = database.query_row(undone, (), |row| row.get(0)).expect("a number");
    database.execute_batch("DELETE FROM cut_intents; DELETE FROM cut_objects").expect("tables");
    database.execute_batch(WATCH).expect("triggers");
    undone
}

/// A server over clouds, stopped by a power cut just after a write was acknowledged.
async fn cut_after(
    clouds: usize,
    first: &[&str],
    key: &str,
    meanwhile: impl FnOnce(&[FaultyCloud], Moment),
) -> Option<(Server, Vec<FaultyCloud>, super::stage::Made)> {
    let (server, clouds) = Server::beside_faulty_clouds(clouds).await;
    let mode = if clouds.len() == 1 { "NORMAL" } else { "MIRROR" };
    let broken = Broken::over(&server, &clouds, mode).await;
    for key in first {
        broken.put(key, b"old").await.expect("a write");
    }
    if !watch(&server).await {
        server.stop().await;
        return None;
    }
    let before = clouds[0].now();
    broken.put(key, b"newer").await.expect("a write");
    let made = broken.made();
    meanwhile(&clouds, before);
    let mut undone = 0;
    let server = server.restart_after(|folder| undone = cut(folder)).await;
    assert_eq!(undone, 1, "the write was not to be undone");
    Some((server, clouds, made))
}

async fn is_there(broken: &Broken<'_>, key: &str, keys: &[&str]) {
    let listed = broken.stage.list(&ListRequest { limit: 10, ..Default::default() }).await;
    let listed = listed.expect("a list").objects;
    assert_eq!(listed.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), keys);
    let size = listed.iter().find(|object| object.key == key).map(|object| object.size);
    assert_eq!(size, Some(5));
    assert_eq!(broken.stage.get(key).await.expect("a read"), b"newer");
}

#[tokio::test]
async fn a_write_that_was_acknowledged_outlives_a_power_cut() {
    for (clouds, first) in [(1, &["a", "b"][..]), (2, &["a", "b"]), (2, &["b"])] {
        let Some((server, clouds, made)) = cut_after(clouds, first, "a", |_, _| {}).await else {
            return;
        };
        let broken = Broken::again(&server, &clouds, made);
        is_there(&broken, "a", &["a", "b"]).await;
        broken.mend().await;
        is_there(&broken, "a", &["a", "b"]).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn what_was_deleted_and_written_anew_outlives_a_power_cut() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    broken.put("a", b"old").await.expect("a write");
    broken.stage.delete("a").await.expect("a delete");
    if !watch(&server).await {
        return server.stop().await;
    }
    broken.put("a", b"newer").await.expect("a write");
    let made = broken.made();
    let server = server.restart_after(|folder| assert_eq!(cut(folder), 1)).await;
    is_there(&Broken::again(&server, &clouds, made), "a", &["a"]).await;
    server.stop().await;
}

/// Nothing is said of a key as long as nobody knows what it holds; of the others as ever.
#[tokio::test]
async fn until_the_buckets_answer_nothing_is_said_of_it() {
    let fall = |clouds: &[FaultyCloud], _| clouds.iter().for_each(FaultyCloud::fall);
    for first in [&["a", "b"][..], &["b"]] {
        let Some((server, clouds, made)) = cut_after(2, first, "a", fall).await else { return };
        let broken = Broken::again(&server, &clouds, made);
        let said =
            |error: &ObjectError| matches!(error, ObjectError::Unavailable(_) | ObjectError::Busy);
        let all = ListRequest { limit: 10, ..Default::default() };
        assert!(said(&broken.stage.get("a").await.expect_err("nobody knows")));
        assert!(said(&broken.stage.list(&all).await.expect_err("nobody knows")));
        let behind = ListRequest { prefix: "b".to_owned(), limit: 10, ..Default::default() };
        assert_eq!(broken.stage.list(&behind).await.expect("a list").objects.len(), 1);
        broken.mend().await;
        is_there(&broken, "a", &["a", "b"]).await;
        server.stop().await;
    }
}

/// One bucket has lost it, and holds what it held before; the other one does not answer.
#[tokio::test]
async fn the_last_copy_is_waited_for() {
    for first in [&["a", "b"][..], &["b"]] {
        let harm = |clouds: &[FaultyCloud], before| {
            clouds[0].go_back(before);
            clouds[1].fail(On::Anything, Fault::Refuses);
        };
        let Some((server, clouds, made)) = cut_after(2, first, "a", harm).await else { return };
        let broken = Broken::again(&server, &clouds, made);
        assert!(matches!(broken.stage.get("a").await, Err(ObjectError::Unavailable(_))));
        assert!(broken.put("a", b"third").await.is_err());
        broken.mend().await;
        is_there(&broken, "a", &["a", "b"]).await;
        server.stop().await;
    }
}

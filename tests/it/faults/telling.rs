//! A write is acknowledged before the catalog knows of it; whoever asks for its key then waits for that.
//! With SQLite; PostgreSQL is told first.

use repoplane::service::objects::listing::ListRequest;
use repoplane::store::intents;
use rusqlite::Connection;

use super::stage::Broken;
use crate::support::Server;
use crate::support::faulty_cloud::{FaultyCloud, On};

/// Changes the database from outside. Nothing with PostgreSQL.
async fn outside(server: &Server, sql: &'static str) -> Option<Connection> {
    let file = server.folder().join("repoplane.db");
    // The server runs on this thread, and cannot end a transaction while that waits for the database.
    let changed = tokio::task::spawn_blocking(move || {
        let database = file.exists().then(|| Connection::open(file).expect("the database"))?;
        database.execute_batch(sql).expect("a change");
        Some(database)
    });
    changed.await.expect("a change")
}

/// Writes "new" while the catalog is as `sql` makes it; what was opened for that.
async fn put_while(
    broken: &Broken<'_>,
    server: &Server,
    clouds: &[FaultyCloud],
    sql: &'static str,
) -> Option<Connection> {
    let gate = clouds[0].hold_answer(On::Put);
    let hinders = async {
        gate.reached().await;
        let database = outside(server, sql).await;
        gate.open();
        database
    };
    let (put, database) = tokio::join!(broken.put("a", b"newer"), hinders);
    put.expect("a write");
    database
}

async fn is_new(broken: &Broken<'_>) {
    assert_eq!(broken.stage.get("a").await.expect("a read"), b"newer");
    let listed = broken.stage.list(&ListRequest { limit: 10, ..Default::default() }).await;
    let sizes: Vec<_> = listed.expect("a list").objects.iter().map(|o| o.size).collect();
    assert_eq!(sizes, [5]);
}

#[tokio::test]
async fn a_read_waits_until_the_catalog_knows() {
    for before in [None, Some(b"old")] {
        let (server, clouds) = Server::beside_faulty_clouds(2).await;
        let broken = Broken::over(&server, &clouds, "MIRROR").await;
        if let Some(before) = before {
            broken.put("a", before).await.expect("a write");
        }
        let held = put_while(&broken, &server, &clouds, "BEGIN IMMEDIATE").await;
        // Closing it gives up what it holds.
        tokio::join!(is_new(&broken), is_new(&broken), async { drop(held) });
        broken.put("a", b"third").await.expect("a write");
        assert_eq!(broken.stage.get("a").await.expect("a read"), b"third");
        server.stop().await;
    }
}

/// A catalog that fails loses nothing: the buckets are asked as soon as it takes something again.
#[tokio::test]
async fn what_the_catalog_does_not_take_is_found_in_the_buckets() {
    const FAIL: &str = "CREATE TRIGGER fail BEFORE INSERT ON objects
        BEGIN SELECT RAISE(ABORT, 'no room'); END";
    for restarts in [false, true] {
        let (mut server, clouds) = Server::beside_faulty_clouds(2).await;
        let broken = Broken::over(&server, &clouds, "MIRROR").await;
        if outside(&server, "SELECT 1").await.is_none() {
            return server.stop().await;
        }
        broken.put("a", b"old").await.expect("a write");
        put_while(&broken, &server, &clouds, FAIL).await.expect("a database");
        broken.stage.get("a").await.expect_err("nobody can say");
        let made = broken.made();
        outside(&server, "DROP TRIGGER fail").await.expect("a database");
        if restarts {
            server = server.restart_after(|_| {}).await;
        } else {
            // As when it has been let alone for some seconds.
            intents::end_all(broken.stage.services().store.write_now()).await.expect("intents");
        }
        is_new(&Broken::again(&server, &clouds, made)).await;
        server.stop().await;
    }
}

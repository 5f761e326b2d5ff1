//! A bucket misses very many writes, and gets them all when it is back.

use std::time::Instant;

use futures::{StreamExt as _, stream};

use super::stage::{Broken, Known, content};
use crate::support::Server;

const WRITES: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_comes_back_gets_all_it_missed() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    clouds[1].fall();
    let keys: Vec<_> = (0..WRITES).map(|number| format!("{number:04}")).collect();
    let known: Known = keys.iter().map(|key| (key.clone(), content(key, 2_000))).collect();
    let begun = Instant::now();
    stream::iter(&keys)
        .for_each_concurrent(8, async |key| {
            broken.put(key, &known[key]).await.expect("a write");
        })
        .await;
    let written = begun.elapsed();
    assert!(clouds[1].contents().is_empty());
    let space = broken.space().await.id;
    assert_eq!(broken.owed(space).await, WRITES as u64);
    // Nothing is hastened: this is what the server does by itself.
    clouds[1].recover();
    let begun = Instant::now();
    broken.stage.until_alike().await;
    println!("{WRITES} writes in {written:?}, paid within {:?}", begun.elapsed());
    broken.mend().await;
    broken.check(&known).await;
    server.stop().await;
}

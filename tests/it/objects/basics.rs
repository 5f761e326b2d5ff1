//! What is written is read, listed and deleted again, on every bucket.

use repoplane::service::objects::ObjectError;
use repoplane::service::objects::listing::ListRequest;

use super::stage::Stage;
use crate::support::Server;

#[tokio::test]
async fn what_is_written_is_in_every_bucket() {
    let server = Server::start().await;
    let stage = Stage::on_disk(&server, "MIRROR", 2).await;
    let large = vec![7; 3_000_000];
    for (key, content) in [("a//b", &b"hello"[..]), ("dir/", b""), ("large", &large)] {
        let object = stage.put(key, content).await.expect("a write");
        assert_eq!(object.size, content.len() as u64);
        assert_eq!(stage.get(key).await.expect("a read"), content);
        for bucket in [0, 1] {
            assert_eq!(stage.copy(bucket, key).await.as_deref(), Some(content), "{key} {bucket}");
        }
    }
    assert_eq!(stage.keys().await, ["a//b", "dir/", "large"]);
    assert!(stage.delete("a//b").await.expect("a delete").is_some());
    assert!(stage.delete("a//b").await.expect("another").is_none());
    assert!(matches!(stage.get("a//b").await, Err(ObjectError::NoSuchKey)));
    assert_eq!(stage.copy(1, "a//b").await, None);
    assert_eq!(stage.keys().await, ["dir/", "large"]);
    stage.until_alike().await;
    server.stop().await;
}

#[tokio::test]
async fn the_folder_of_the_server_may_have_any_name() {
    const NAME: &str = "50%25 of ?x=1 #é";
    let server = Server::start_with(|config| {
        // What is looked at when it stops.
        std::fs::create_dir(config.data_dir.join("cache")).expect("a folder");
        config.data_dir = config.data_dir.join(NAME);
        config.database = None;
    })
    .await;
    assert!(server.folder().join(NAME).join("repoplane.db").exists());
    let stage = Stage::on_disk(&server, "MIRROR", 2).await;
    stage.put("key", b"content").await.expect("a write");
    assert_eq!(stage.get("key").await.expect("a read"), b"content");
    server.stop().await;
}

/// SQLite's log is what a power cut leaves of a write.
#[tokio::test]
async fn what_cannot_be_synced_is_not_acknowledged() {
    let server = Server::start_with(|config| {
        std::fs::create_dir(config.data_dir.join("cache")).expect("a folder");
        config.data_dir = config.data_dir.join("own");
        config.database = None;
    })
    .await;
    let stage = Stage::on_disk(&server, "MIRROR", 2).await;
    stage.put("key", b"1").await.expect("a write");
    let log = server.folder().join("own/repoplane.db-wal");
    let aside = log.with_extension("aside");
    std::fs::rename(&log, &aside).expect("the log");
    for key in ["key", "new"] {
        assert!(matches!(stage.put(key, b"2").await, Err(ObjectError::Other(_))));
    }
    std::fs::rename(&aside, &log).expect("the log");
    // Nothing may take its place in the buckets before it is known what that is.
    assert_eq!(stage.get("key").await.expect("a read"), b"1");
    for key in ["key", "new"] {
        stage.put(key, b"3").await.expect("a write");
        assert_eq!(stage.get(key).await.expect("a read"), b"3");
    }
    server.stop().await;
}

#[tokio::test]
async fn keys_with_a_delimiter_are_listed_as_one() {
    let server = Server::start().await;
    let stage = Stage::on_disk(&server, "NORMAL", 1).await;
    for key in ["a", "b/1", "b/2", "b/c/3", "b0", "é/1", "é/2", "z"] {
        stage.put(key, key.as_bytes()).await.expect("a write");
    }
    let delimiter = Some("/".to_owned());
    let mut found = vec![];
    let mut after = None;
    loop {
        let request =
            ListRequest { delimiter: delimiter.clone(), after, limit: 1, ..Default::default() };
        let page = stage.list(&request).await.expect("a page");
        found.extend(page.objects.into_iter().map(|object| object.key));
        found.extend(page.prefixes);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a", "b/", "b0", "z", "é/"]);
    let request =
        ListRequest { prefix: "b/".to_owned(), delimiter, limit: 10, ..Default::default() };
    let page = stage.list(&request).await.expect("a page");
    assert_eq!(page.prefixes, ["b/c/"]);
    assert_eq!(page.objects.len(), 2);
    server.stop().await;
}

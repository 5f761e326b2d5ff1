//! `repoplane storage put`, `get`, `ls` and `rm`, through the gateway.

use serde_json::Value;

use super::process::{Place, Serving};

/// A server with a storage repo of two buckets, and an access key to it.
async fn stocked() -> (Place, Serving) {
    let mut place = Place::new();
    let server = place.serve().await;
    let token = place.done(&["token", "create"]).await;
    place.set("REPOPLANE_URL", &server.url);
    place.set("REPOPLANE_TOKEN", token);
    for bucket in ["a", "b"] {
        place.done(&["storage", "bucket", "create", bucket, "--disk", bucket]).await;
    }
    let create = "storage repo create photos --mode mirror --primary a --bucket b";
    place.done(&create.split(' ').collect::<Vec<_>>()).await;
    let create = ["storage", "key", "create", "photos", "--access", "write", "--json"];
    let made: Value = serde_json::from_str(&place.done(&create).await).expect("JSON");
    // Objects need no token.
    place.unset("REPOPLANE_TOKEN");
    place.set("REPOPLANE_S3_URL", &server.s3_url);
    place.set("REPOPLANE_S3_KEY", made["key"].as_str().expect("a key"));
    place.set("REPOPLANE_S3_SECRET", made["secret"].as_str().expect("a secret"));
    (place, server)
}

async fn storage(place: &Place, words: &[&str]) -> String {
    place.done(&[&["storage"], words].concat()).await
}

#[tokio::test]
async fn objects_go_in_and_come_back() {
    let (place, server) = stocked().await;
    // Large enough for two parts.
    let large: Vec<u8> = (0..70_000_000_u32).map(|number| (number % 251) as u8).collect();
    for (name, content) in [("large.bin", &large[..]), ("empty", b""), ("ü b.txt", b"text")] {
        std::fs::write(place.path().join(name), content).expect("a file");
        assert_eq!(storage(&place, &["put", name, "photos/in/"]).await, "");
        storage(&place, &["get", &format!("photos/in/{name}"), "back"]).await;
        assert_eq!(std::fs::read(place.path().join("back")).expect("a file"), content, "{name}");
    }
    std::fs::remove_file(place.path().join("ü b.txt")).expect("removed");
    storage(&place, &["get", "a/in/ü b.txt"]).await;
    assert_eq!(std::fs::read(place.path().join("ü b.txt")).expect("a file"), b"text");
    assert_eq!(storage(&place, &["get", "b/in/ü b.txt", "-"]).await, "text");

    let listed = storage(&place, &["ls", "photos/in/"]).await;
    let rows: Vec<_> = listed.lines().map(str::trim).collect();
    assert_eq!(rows, ["0  in/empty", "70000000  in/large.bin", "4  in/ü b.txt"]);
    let listed: Value =
        serde_json::from_str(&storage(&place, &["ls", "photos", "--json"]).await).expect("JSON");
    assert_eq!(listed[2]["size"], 4);
    assert_eq!(storage(&place, &["ls", "photos/none"]).await, "");

    let said = storage(&place, &["put", "empty", "photos/other", "--json"]).await;
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&said["key"], &said["size"]), (&"other".into(), &0.into()));
    storage(&place, &["rm", "photos/other"]).await;
    let gone: Value = serde_json::from_str(
        &storage(&place, &["rm", "photos/in/", "--recursive", "--json"]).await,
    )
    .expect("JSON");
    assert_eq!(gone["deleted"], 3);
    assert_eq!(storage(&place, &["ls", "photos"]).await, "");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_leaves_no_file() {
    let (mut place, server) = stocked().await;
    std::fs::write(place.path().join("file"), "content").expect("a file");
    for (words, said) in [
        (vec!["get", "photos/none"], "no such object"),
        (vec!["rm", "photos/none"], "no such object"),
        (vec!["rm", "photos"], "names no object"),
        (vec!["get", "none/key"], "no such bucket"),
        (vec!["put", "none", "photos/key"], "cannot read none"),
        (vec!["put", ".", "photos/key"], "is no file"),
        (vec!["get", "photos/dir/"], "is no file"),
        (vec!["ls", "/key"], "comes first"),
    ] {
        let words = [&["storage"], &words[..]].concat();
        let told = place.refused(&words).await;
        assert!(told.contains(said), "{words:?}: {told}");
    }
    let files = std::fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(files, 2, "the data folder, and the file that was there");
    place.set("REPOPLANE_S3_SECRET", "wrong");
    let told = place.refused(&["storage", "put", "file", "photos/key"]).await;
    assert!(told.contains("the secret is wrong") && !told.contains("Signature="), "{told}");
    place.unset("REPOPLANE_S3_KEY");
    let told = place.refused(&["storage", "ls", "photos"]).await;
    assert!(told.contains("REPOPLANE_S3_KEY is not set"), "{told}");
    server.stop().await;
}

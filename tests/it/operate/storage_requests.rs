//! `repoplane storage`: what an operator types, and what the server is asked for it.

use serde_json::{Value, json};

use super::process::Place;
use super::stand_in::{StandIn, bucket, id};

/// A place that works on the stand-in.
async fn facing(answer: fn(&str) -> (u16, Value)) -> (Place, StandIn) {
    let (mut place, server) = (Place::new(), StandIn::start(answer).await);
    place.set("REPOPLANE_URL", &server.url);
    place.set("REPOPLANE_TOKEN", "rlc-mine");
    (place, server)
}

/// Takes every change of a bucket or storage repo.
fn agreeable(_: &str) -> (u16, Value) {
    (200, json!({ "success": true, "bucketId": id(1), "repoId": id(2) }))
}

/// Two pages of buckets.
fn paged(what: &str) -> (u16, Value) {
    match what.split_once("cursor=") {
        None => {
            let page = [bucket(1, "one"), bucket(2, "twice")];
            (200, json!({ "success": true, "buckets": page, "nextCursor": id(2) }))
        }
        Some(_) => (200, json!({ "success": true, "buckets": [bucket(3, "twice")] })),
    }
}

#[tokio::test]
async fn a_new_bucket_is_asked_for_as_it_was_typed() {
    let (place, server) = facing(agreeable).await;
    std::fs::write(place.path().join("secret"), "hunter2\n").expect("file");
    let line = "storage bucket create backups --bucket in-2026 --type gcs --key AKIA \
                --secret-file secret --endpoint https://s3.example --region eu-west-1 --project p \
                --workspace Production";
    let ended = place.run(&line.split_whitespace().collect::<Vec<_>>()).await;
    assert!(ended.success && !format!("{ended:?}").contains("hunter2"), "{ended:?}");
    assert_eq!(ended.out.trim_end(), id(1));
    let [asked] = server.asked().try_into().expect("one request");
    assert_eq!((asked.what.as_str(), asked.token.as_str()), ("POST /bucket", "Bearer rlc-mine"));
    let body = json!({
        "name": "backups", "bucket": "in-2026", "storageType": "GCS", "key": "AKIA",
        "secret": "hunter2", "endpoint": "https://s3.example", "region": "eu-west-1",
        "projectId": "p", "workspaceId": "Production",
    });
    assert_eq!(asked.body, body);

    place.done(&["storage", "bucket", "create", "my scratch", "--disk", "scratch"]).await;
    let body = json!({
        "name": "my scratch", "bucket": "scratch", "storageType": "S3", "endpoint": "file:scratch",
    });
    assert_eq!(server.asked()[0].body, body);
    let said = place.refused(&["storage", "bucket", "create", "my scratch"]).await;
    assert!(said.contains("--bucket"), "{said}");
    assert_eq!(server.asked(), [], "what the contract rules out is not sent");
}

#[tokio::test]
async fn secrets_come_from_a_file_or_the_input_and_from_the_variable_only_with_a_key() {
    let (mut place, server) = facing(agreeable).await;
    place.set("REPOPLANE_BUCKET_SECRET", "left over");
    let bucket = id(1);
    let update = ["storage", "bucket", "update", &bucket];
    let sent = || server.asked().pop().expect("a request").body;
    place.done(&[&update[..], &["--name", "x"]].concat()).await;
    assert_eq!(sent(), json!({ "name": "x" }));
    place.done(&[&update[..], &["--key", "AKIA"]].concat()).await;
    assert_eq!(sent(), json!({ "key": "AKIA", "secret": "left over" }));
    place.done(&[&update[..], &["--key", ""]].concat()).await;
    assert_eq!(sent(), json!({ "key": "" }));
    let read = [&update[..], &["--secret-file", "-"]].concat();
    assert!(place.fed(&read, "two\nlines \r\n").await.success);
    assert_eq!(sent(), json!({ "secret": "two\nlines " }));

    let ended = place.fed(&read, "\n").await;
    assert!(!ended.success && ended.err.contains("holds nothing"), "{ended:?}");
    let ended = place.fed(&read, &"x".repeat(9_000)).await;
    assert!(!ended.success && ended.err.contains("the secret: longer than"), "{ended:?}");
    assert!(!ended.err.contains("xxx"), "{ended:?}");
    let said = place.refused(&[&update[..], &["--secret-file", "absent"]].concat()).await;
    assert!(said.contains("--secret-file: cannot read absent"), "{said}");
    let said = place.refused(&update).await;
    assert!(said.contains("nothing to change"), "{said}");
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn a_storage_repo_is_asked_for_with_its_buckets() {
    let (place, server) = facing(agreeable).await;
    let line = "storage repo create photos --mode Mirror --primary a:/x/y --bucket b --bucket c:z";
    place.done(&line.split(' ').collect::<Vec<_>>()).await;
    let body = json!({
        "name": "photos", "mode": "MIRROR", "storageType": "S3", "repoBuckets": [
            { "bucketId": "a", "folder": "/x/y", "master": true },
            { "bucketId": "b", "master": false },
            { "bucketId": "c", "folder": "z", "master": false },
        ],
    });
    assert_eq!(server.asked()[0].body, body);
    for wrong in ["a:b//c", ":b", ""] {
        let line = ["storage", "repo", "create", "photos", "--mode", "normal", "--bucket", wrong];
        assert!(!place.refused(&line).await.is_empty());
    }
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn lists_and_names_are_followed_to_the_last_page() {
    let (place, server) = facing(paged).await;
    let table = place.done(&["storage", "bucket", "list"]).await;
    let names: Vec<_> = table.lines().map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(names, ["NAME", "one", "twice", "twice"].map(Some));
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.what).collect();
    assert_eq!(asked, ["GET /bucket".to_owned(), format!("GET /bucket?cursor={}", id(2))]);

    let json = place.done(&["storage", "bucket", "list", "--json"]).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let all = [bucket(1, "one"), bucket(2, "twice"), bucket(3, "twice")];
    assert_eq!(json, json!({ "success": true, "buckets": all }));

    let said = place.refused(&["storage", "bucket", "show", "twice"]).await;
    assert!(said.contains(&id(2)) && said.contains(&id(3)), "{said}");
    let said = place.refused(&["storage", "bucket", "delete", "on"]).await;
    assert!(said.contains("repoplane storage bucket list"), "{said}");
    assert!(server.asked().iter().all(|asked| asked.what.starts_with("GET")), "nothing is deleted");
}

#[tokio::test]
async fn a_refusal_is_shown_in_the_words_of_the_server() {
    let (place, _server) = facing(|what| match what {
        "GET /bucket" => (403, json!({ "success": false, "message": "Not yours." })),
        "GET /repo" => {
            (400, json!({ "success": false, "message": "It is no good.", "error_code": "NO_GOOD" }))
        }
        _ => (418, json!("a teapot")),
    })
    .await;
    let said = place.refused(&["storage", "bucket", "list"]).await;
    assert_eq!(said, "error: Not yours.\n");
    let said = place.refused(&["storage", "repo", "list", "--json"]).await;
    assert_eq!(said, "error: It is no good. (NO_GOOD)\n");
    let said = place.refused(&["storage", "bucket", "show", &id(1)]).await;
    assert!(said.contains("418") && said.contains("--url"), "{said}");
}

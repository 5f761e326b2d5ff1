//! `repoplane storage mirror` and `restore`: what they show, wait for, and end with.

use repoplane_client::types::MirrorResponse;
use serde_json::{Value, json};

use super::process::Place;
use super::stand_in::{StandIn, id};

async fn storage(place: &Place, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    place.done(&[&["storage"], &words[..]].concat()).await
}

#[tokio::test]
async fn a_mirror_is_shown_repaired_and_compared() {
    let mut place = Place::new();
    let server = place.serve().await;
    let token = place.done(&["token", "create"]).await;
    place.set("REPOPLANE_URL", &server.url);
    place.set("REPOPLANE_TOKEN", token);
    storage(&place, "bucket create a --disk a").await;
    storage(&place, "bucket create b --disk b").await;
    let create = "repo create photos --mode mirror --primary a --bucket b:in --min-ack 2";
    storage(&place, create).await;
    storage(&place, "repo update photos --min-ack 0 --retention-days 7").await;
    let shown = storage(&place, "repo show photos").await;
    assert!(shown.contains("7 days"), "{shown}");

    let repaired = storage(&place, "mirror repair photos").await;
    assert_eq!(repaired, "repair: done, 0 objects mended");
    let compared = storage(&place, "mirror scrub photos --read").await;
    assert_eq!(compared.lines().count(), 2, "{compared}");
    assert!(
        compared.lines().all(|line| line.contains(": done, 0 objects looked at")),
        "{compared}"
    );
    let table = storage(&place, "mirror status photos").await;
    let rows: Vec<Vec<_>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..8], ["a", "-", "yes", "active", "0", "0", "-", "0"], "{table}");
    assert_eq!(rows[2][..8], ["b", "in", "no", "active", "0", "0", "-", "0"], "{table}");
    let printed = storage(&place, "mirror status photos --json").await;
    let printed: MirrorResponse = serde_json::from_str(&printed).expect("the answer");
    assert_eq!(printed.spaces[0].members.len(), 2);
    let ids = storage(&place, "mirror scrub photos --no-wait").await;
    assert!(ids.lines().all(|id| id.parse::<uuid::Uuid>().is_ok()), "{ids}");
    let said = place.refused(&["storage", "restore", "photos"]).await;
    assert!(said.contains("MIRROR"), "{said}");
    server.stop().await;
}

/// A job as the API answers it.
fn job(state: &str, done: u32) -> Value {
    let mut job = json!({
        "id": id(9), "kind": "restore", "state": state, "repoId": id(2), "total": 4, "done": done,
        "found": done, "failed": 0, "percent": done * 25, "createdAt": "2026-01-15T10:30:00Z",
        "updatedAt": "2026-01-15T10:30:05Z",
    });
    if state == "failed" {
        job["message"] = json!("a backup does not answer");
    }
    if ["done", "failed"].contains(&state) {
        job["finishedAt"] = json!("2026-01-15T10:30:05Z");
    }
    job
}

/// Says that every job ends in this state.
async fn facing(state: &'static str) -> (Place, StandIn) {
    let mut place = Place::new();
    let server = StandIn::start(move |what| {
        let events = json!({ "events": [job("running", 1), job("running", 2), job(state, 4)] });
        let started = json!({ "success": true, "jobId": id(9) });
        (200, if what.ends_with("/events") { events } else { started })
    });
    let server = server.await;
    place.set("REPOPLANE_URL", &server.url);
    place.set("REPOPLANE_TOKEN", "rlc-mine");
    (place, server)
}

#[tokio::test]
async fn a_restore_is_asked_for_as_it_was_typed_and_waited_for() {
    let (place, server) = facing("done").await;
    let repo = id(2);
    let line = ["storage", "restore", &repo, "--prefix", "photos/", "--since"];
    let ended = place.run(&[&line[..], &["2026-01-15T10:30:00Z", "--dry-run"]].concat()).await;
    assert!(ended.success, "{ended:?}");
    assert_eq!(ended.out, "restore: done, 4 of 4 deleted objects can be had again\n");
    let lines: Vec<_> = ended.err.lines().map(str::trim_end).collect();
    assert_eq!(lines, ["restore: running 25 %", "restore: running 50 %", "restore: done 100 %"]);
    let [asked, followed] = server.asked().try_into().expect("two requests");
    assert_eq!(asked.what, format!("POST /repo/{repo}/restore"));
    let body = json!({
        "prefix": "photos/", "deletedSince": "2026-01-15T10:30:00Z", "dryRun": true,
    });
    assert_eq!(asked.body, body);
    assert_eq!(followed.what, format!("GET /job/{}/events", id(9)));

    let ended = place.run(&["storage", "restore", &repo, "--no-wait"]).await;
    assert_eq!((ended.success, ended.out.trim_end()), (true, id(9).as_str()));
    assert_eq!(server.asked().len(), 1, "nobody waits");
}

#[tokio::test]
async fn a_job_that_fails_fails_the_command() {
    let (place, _server) = facing("failed").await;
    let ended = place.run(&["storage", "--json", "restore", &id(2)]).await;
    assert!(!ended.success, "{ended:?}");
    assert!(ended.err.ends_with("error: a backup does not answer\n"), "{ended:?}");
    let printed: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(printed["jobs"][0]["state"], "failed");
}

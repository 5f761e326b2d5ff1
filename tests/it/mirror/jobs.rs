//! Jobs are listed, followed, bounded, forgotten, and survive the server that began them.

use futures::{StreamExt, TryStreamExt, future::join_all};
use repoplane::model::time::Timestamp;
use repoplane::service::objects::jobs::schedule;
use repoplane_client::FollowError;
use std::num::NonZeroU32;
use std::time::Duration;

use super::stage::{Mirror, bring_back, end, folder};
use crate::storage::stage::{User, answer};
use crate::support::answer::refusal;
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn the_jobs_of_a_repo_come_in_pages_newest_first() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    let repair = mirror.repair().await;
    mirror.end(repair).await;
    let list = || mirror.client().list_jobs().repo_id(mirror.stage.repo);
    let all = list().send().await.expect("jobs").into_inner();
    let ids: Vec<_> = all.jobs.iter().map(|job| job.id).collect();
    let kinds: Vec<_> = all.jobs.iter().map(|job| job.kind.as_str()).collect();
    assert_eq!((kinds, all.next_cursor), (vec!["repair", "survey", "survey"], None));
    assert_eq!(ids[0], repair);
    let one = list().limit(NonZeroU32::MIN).stream();
    let paged: Vec<_> = one.map_ok(|job| job.id).try_collect().await.expect("all pages");
    assert_eq!(paged, ids);
    let path = format!("/repo/{}/jobs?limit=0", mirror.stage.repo);
    assert_eq!(mirror.stage.user.send("GET", &path, serde_json::Value::Null).await.0, 400);
    server.stop().await;
}

#[tokio::test]
async fn every_event_is_a_job_and_the_last_one_its_end() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 2, &["a"]).await;
    mirror.lose(1, "a");
    let id = mirror.scrub(false).await[1].id;
    let url = format!("{}/job/{id}/events", server.url());
    let answer = reqwest::Client::new().get(url).bearer_auth(OWNER_TOKEN).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let body = answer.text().await.expect("a stream that ends");
    let frames: Vec<_> = body.split_terminator("\n\n").collect();
    for (place, frame) in frames.iter().enumerate() {
        let (event, data) = frame.split_once('\n').expect("two lines");
        let last = if place + 1 == frames.len() { "event: done" } else { "event: job" };
        assert_eq!(event, last, "{body}");
        let data = data.strip_prefix("data: ").expect("data");
        let job: repoplane_client::types::Job = serde_json::from_str(data).expect("a job");
        assert_eq!((job.id, job.finished_at.is_some()), (id, place + 1 == frames.len()));
    }
    let seen = mirror.client().get_job().id(id).send().await.expect("the job").job.clone();
    assert_eq!((seen.state.as_str(), seen.found), ("done", 1));
    server.stop().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["a"]).await;
    let repair = mirror.repair().await;
    let client = server.owner();
    let mut jobs = std::pin::pin!(client.follow_job().id(repair).stream());
    let first = jobs.next().await.expect("an event").expect("a job");
    assert_eq!((first.id, first.finished_at), (repair, None));
    drop(mirror);
    let (rest, ()) = tokio::join!(jobs.collect::<Vec<_>>(), server.stop());
    let last = rest.last().expect("an end");
    assert!(matches!(last, Err(FollowError::Cut)), "{last:?}");
}

#[tokio::test]
async fn one_user_cannot_follow_any_number_of_jobs() {
    const MOST: usize = 16;
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["a"]).await;
    let repair = mirror.repair().await;
    let follow = || mirror.client().follow_job().id(repair).send();
    let open = join_all((0..MOST).map(|_| follow())).await;
    assert!(open.iter().all(Result::is_ok));
    let refused = answer(follow().await).map(drop).expect_err("one too many");
    assert_eq!(refused.rule(), (429, "QUOTA_EXCEEDED"));
    drop(open);
    mirror.bring_back(1);
    server.stop().await;
}

#[tokio::test]
async fn a_job_goes_on_after_a_restart() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["a", "b"]).await;
    let (repo, repair) = (mirror.stage.repo, mirror.repair().await);
    drop(mirror);
    let server = server.restart_after(|data| bring_back(&folder(data, 1))).await;
    let client = server.owner();
    let again = client.repair_mirror().repo_id(repo).send().await.expect("a repair").job_id;
    assert_eq!(again, repair);
    let job = end(&client, repair).await;
    assert_eq!((job.state.as_str(), job.total, job.done), ("done", Some(2), 2));
    server.stop().await;
}

#[tokio::test]
async fn of_two_servers_one_does_a_job() {
    let server = Server::start().await;
    let keys: Vec<_> = (0..40).map(|number| format!("key-{number}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let mirror = Mirror::with(&server, "MIRROR", 2, &keys).await;
    let second = server.second().await;
    mirror.lose(1, "key-7");
    let id = mirror.scrub(false).await[1].id;
    let (here, there) = (mirror.end(id).await, end(&second.owner(), id).await);
    assert_eq!((here.state.as_str(), here.done, here.found), ("done", 40, 1));
    assert_eq!(format!("{here:?}"), format!("{there:?}"));
    mirror.stage.until_alike().await;
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_job_is_forgotten_a_month_after_its_end() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    let job = mirror.end(mirror.repair().await).await;
    let get = || mirror.client().get_job().id(job.id).send();
    schedule(server.services(), Timestamp::now().plus(29 * DAY)).await.expect("scheduled");
    assert!(get().await.is_ok());
    schedule(server.services(), Timestamp::now().plus(31 * DAY)).await.expect("scheduled");
    assert_eq!(refusal(get().await).0, 404);
    server.stop().await;
}

#[tokio::test]
async fn nobody_sees_the_job_of_a_repo_that_was_deleted() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let bucket = user.bucket("bucket-0").await;
    let links = serde_json::json!([crate::storage::stage::link(bucket, "", true)]);
    let repo = user.repo("short", "MIRROR", links).await;
    let job = user.client.repair_mirror().repo_id(repo).send().await.expect("a repair").job_id;
    user.delete_repo(repo).await.expect("deleted");
    let (status, message) = refusal(user.client.get_job().id(job).send().await);
    let absent = refusal(user.client.get_job().id(uuid::Uuid::new_v4()).send().await);
    assert_eq!((status, message), absent);
    assert_eq!(status, 404);
    server.stop().await;
}

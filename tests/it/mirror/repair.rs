//! A repair ends when what was owed is paid, and says which bucket is to blame if it is not.

use repoplane::model::storage_job::{Asked, JobState, StorageJob, StorageJobKind};
use repoplane::service::objects::jobs;
use repoplane::store::storage_jobs;

use super::stage::Mirror;
use crate::storage::stage::{User, answer};
use crate::support::Server;

#[tokio::test]
async fn all_that_was_owed_is_paid_by_one_job() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["a", "b", "c"]).await;
    let repair = mirror.repair().await;
    assert_eq!(mirror.repair().await, repair, "one that is not finished is answered again");
    mirror.bring_back(1);
    assert_eq!(mirror.repair().await, repair);
    let job = mirror.end(repair).await;
    assert_eq!((job.state.as_str(), job.kind.as_str()), ("done", "repair"));
    assert_eq!((job.total, job.done, job.failed), (Some(3), 3, 0));
    assert_eq!((job.percent, job.message), (Some(100), None));
    for key in ["a", "b", "c"] {
        assert_eq!(mirror.stage.copy(1, key).await.as_deref(), Some(key.as_bytes()));
    }
    assert_ne!(mirror.repair().await, repair, "a finished one is not");
    server.stop().await;
}

#[tokio::test]
async fn a_repair_of_what_is_alike_is_done_at_once() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "NORMAL", 2).await;
    let job = mirror.end(mirror.repair().await).await;
    assert_eq!((job.state.as_str(), job.total, job.done), ("done", None, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_repair_that_does_not_get_on_names_the_bucket() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["a"]).await;
    let (_, space) = mirror.stage.space().await;
    let (repo, kind) = (mirror.stage.repo.into(), StorageJobKind::Repair);
    let mut job = StorageJob::new(repo, space.id, None, kind, Asked::default());
    // It has waited for a while already.
    (job.total, job.cursor) = (1, Some("59000".to_owned()));
    let mut tx = server.services().store.begin().await.expect("a transaction");
    storage_jobs::add(&mut tx, &job).await.expect("added");
    tx.commit().await.expect("committed");

    let ended = mirror.end(job.id.uuid()).await;
    assert_eq!(ended.state, JobState::Failed.as_str());
    assert_eq!((ended.done, ended.failed), (0, 1));
    let message = ended.message.expect("a reason");
    assert!(message.contains("`bucket-1` still owes 1") && message.contains("60 s"), "{message}");
    mirror.bring_back(1);
    server.stop().await;
}

#[tokio::test]
async fn a_repair_has_patience_with_what_is_being_paid() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    let (_, space) = mirror.stage.space().await;
    let (services, never) = (server.services(), i64::MAX);
    // As if another process copied a large object to it.
    sqlx::query(
        "INSERT INTO debts (space_id, key, bucket_id, since, due_at, lease_until, attempts, damaged)
         VALUES ($1, 'large', $2, 0, $3, $3, 1, 0)",
    )
    .bind(space.id.to_string())
    .bind(space.members[1].bucket.id.to_string())
    .bind(never)
    .execute(services.store.write_now())
    .await
    .expect("a debt");
    let (repo, kind) = (mirror.stage.repo.into(), StorageJobKind::Repair);
    let mut job = StorageJob::new(repo, space.id, None, kind, Asked::default());
    (job.total, job.cursor) = (1, Some("59000".to_owned()));
    let mut tx = services.store.begin().await.expect("a transaction");
    storage_jobs::add(&mut tx, &job).await.expect("added");
    tx.commit().await.expect("committed");

    for _ in 0..2 {
        jobs::run(services, &job.id.to_string()).await.expect("run");
        let now = storage_jobs::get(services.store.read(), job.id).await.expect("read");
        let now = now.expect("the job");
        assert_eq!((now.state, now.cursor.as_deref()), (JobState::Running, Some("59000")));
    }
    let given_up = sqlx::query("UPDATE debts SET lease_until = 0");
    given_up.execute(services.store.write_now()).await.expect("given up");
    assert_eq!(mirror.end(job.id.uuid()).await.state, JobState::Failed.as_str());
    server.stop().await;
}

#[tokio::test]
async fn a_storage_repo_without_buckets_has_nothing_to_mend() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let repo = user.repo("empty", "MIRROR", serde_json::json!([])).await;
    let refused = answer(user.client.repair_mirror().repo_id(repo).send().await);
    let refused = refused.map(|asked| asked.job_id).expect_err("refused");
    assert_eq!(refused.plain().0, 400);
    assert!(refused.plain().1.contains("no buckets"), "{refused:?}");
    let mirror = user.client.get_mirror().repo_id(repo).send().await.expect("the mirror");
    assert!(mirror.spaces.is_empty());
    server.stop().await;
}

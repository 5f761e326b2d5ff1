//! Storage repos that are older than the objects in the catalog.

use sqlx::Executor;

use super::stage::{Mirror, end};
use crate::support::Server;

#[tokio::test]
async fn a_repo_without_a_namespace_gets_one_when_the_server_starts() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 2, &["a", "b"]).await;
    let repo = mirror.stage.repo;
    drop(mirror);
    let pool = sqlx::AnyPool::connect(&server.database_url()).await.expect("the database");
    for table in ["objects", "copies", "storage_jobs", "spaces"] {
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
        pool.execute(sqlx::query(sql)).await.expect("forgotten");
    }
    pool.close().await;
    let server = server.restart().await;
    let client = server.owner();
    let jobs = client.list_jobs().repo_id(repo).send().await.expect("jobs").into_inner().jobs;
    assert_eq!(jobs.len(), 2, "both buckets are imported: {jobs:?}");
    for job in &jobs {
        assert_eq!(end(&client, job.id).await.done, 2, "{job:?}");
    }
    let mirror = client.get_mirror().repo_id(repo).send().await.expect("the mirror");
    let [space] = &mirror.spaces[..] else { panic!("one namespace: {mirror:?}") };
    assert_eq!(space.members.len(), 2);
    let server = server.restart().await;
    let again = server.owner().list_jobs().repo_id(repo).send().await.expect("jobs");
    assert_eq!(again.jobs.len(), 2, "once is enough");
    server.stop().await;
}

//! Edits that wait: how many, how long, and what becomes of those that do not get their turn.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use repoplane::config::Config;
use repoplane::service::edits::{BATCH_MAX, QUEUE_MAX};
use repoplane::store::source_repos;

use crate::support::Server;
use crate::support::repo::{Answer, Repo, write};

/// Keeps every edit of the repo from being made durable until dropped.
async fn hold(server: &Server, repo: &Repo) -> sqlx::Transaction<'static, sqlx::Any> {
    let pool = sqlx::AnyPool::connect(&server.database_url()).await.expect("the database");
    let sqlite = server.database_url().starts_with("sqlite:");
    let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut held = pool.begin_with(begin).await.expect("the write lock");
    let row = sqlx::query("UPDATE source_repos SET seq = seq WHERE id = $1");
    row.bind(repo.id.to_string()).execute(&mut *held).await.expect("the row");
    held
}

fn many(config: &mut Config) {
    config.limits.concurrent_requests = 4_096;
}

async fn write_one(repo: &Repo, number: usize) -> (usize, Answer) {
    let path = number.to_string();
    (number, repo.diff(vec![write(&path, &path)]).await)
}

/// What was answered with success is there, and what was refused is not.
async fn check(repo: &Repo, answers: &[(usize, Answer)]) {
    let files = repo.files().await;
    for (number, answer) in answers {
        assert_eq!(answer.is_ok(), files.contains_key(&number.to_string()), "{number}: {answer:?}");
    }
    assert_eq!(files.len(), answers.iter().filter(|(_, answer)| answer.is_ok()).count());
}

fn assert_locked(answer: &Answer) {
    let refusal = answer.as_ref().expect_err("a refusal");
    assert_eq!(refusal.cause(), (423, "resource_locked"));
    assert_eq!(refusal.headers["x-should-retry"], "true");
    assert_eq!(refusal.headers["retry-after"], "1");
    assert!(refusal.error.message.contains("Nothing was changed"), "{refusal:?}");
}

/// Sends edits while the database is held, releases it when `refused` of them were refused, and
/// checks that what was answered is what happened.
async fn crowd(
    repo: &Repo,
    sent: usize,
    refused: usize,
    held: sqlx::Transaction<'static, sqlx::Any>,
) -> Vec<(usize, Answer)> {
    let mut waiting: FuturesUnordered<_> =
        (0..sent).map(|number| write_one(repo, number)).collect();
    let mut answers = Vec::new();
    while answers.len() < refused {
        answers.push(waiting.next().await.expect("an answer"));
    }
    answers.iter().for_each(|(_, answer)| assert_locked(answer));
    held.rollback().await.expect("released");
    answers.extend(waiting.collect::<Vec<_>>().await);
    for (_, answer) in answers.iter().filter(|(_, answer)| answer.is_err()) {
        assert_locked(answer);
    }
    // Queued last, so that whatever was to happen has happened.
    answers.push(write_one(repo, sent).await);
    check(repo, &answers).await;
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_edit_too_many_is_refused_at_once_and_the_others_share_commits() {
    const SENT: usize = 1 + QUEUE_MAX + BATCH_MAX + 20;
    let server = Server::start_with(many).await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let held = hold(&server, &repo).await;
    // At most one batch is under way and one queue full of them waits.
    let answers = crowd(&repo, SENT, SENT - QUEUE_MAX - BATCH_MAX, held).await;
    let done = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
    assert!(done >= QUEUE_MAX, "{done}");
    let store = &server.services().store;
    let position = source_repos::position(store.read(), repo.id.into()).await.expect("database");
    let batches = position.expect("the repo").seq - 1;
    assert!(batches as usize * 8 < done, "{done} edits in {batches} transactions");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_waited_too_long_has_not_happened() {
    const SENT: usize = BATCH_MAX + 10;
    let server = Server::start_with(|config| config.limits.edit_wait_seconds = 1).await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let held = hold(&server, &repo).await;
    // Those of the first batch are under way, so that they get an answer in any case.
    crowd(&repo, SENT, SENT - BATCH_MAX, held).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_answers_the_edits_it_has_taken() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let repo = repo.seen_by(&server.owner());
            tokio::spawn(async move {
                let mut done = Vec::new();
                for edit in 0.. {
                    let path = format!("{client}/{edit}");
                    let put =
                        repo.client.put_source_file().repo_id(repo.id).file_path(path.as_str());
                    match put.body("x").send().await {
                        Ok(_) => done.push(path),
                        Err(repoplane_client::Error::ErrorResponse(refusal)) => {
                            assert_eq!(refusal.status().as_u16(), 503);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                done
            })
        })
        .collect();
    while repo.files().await.len() < 20 {}
    let server = server.restart().await;
    let files = repo.seen_by(&server.owner()).files().await;
    for client in clients {
        for path in client.await.expect("a client") {
            assert!(files.contains_key(&path), "{path} was answered and is lost");
        }
    }
    server.stop().await;
}

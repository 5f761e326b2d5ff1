//! What must hold on SQLite and on PostgreSQL alike, and what only PostgreSQL can show. The
//! whole suite runs on PostgreSQL when `TEST_POSTGRES_URL` names a server.

mod postgres;

use repoplane::app::App;
use repoplane_client::types;
use sqlx::Executor;

use crate::support::Server;

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let server = Server::start().await;
    let pool = sqlx::AnyPool::connect(&server.database_url()).await.expect("the test's database");
    let newer = "INSERT INTO _sqlx_migrations
                     (version, description, success, checksum, execution_time)
                 SELECT 999999, 'of tomorrow', success, checksum, execution_time
                 FROM _sqlx_migrations WHERE version = 1";
    pool.execute(newer).await.expect("one more migration");

    let folder = tempfile::tempdir().expect("temporary folder");
    let config = postgres::config(folder.path(), server.database_url());
    let refusal = App::open(&config).await.err().expect("refused");
    assert!(format!("{refusal:#}").contains("newer version of repoplane"), "{refusal:#}");
    let store = &server.services().store;
    let refusal = store.migrate().await.expect_err("refused");
    assert!(refusal.to_string().contains("newer version of repoplane"), "{refusal}");

    pool.close().await;
    server.stop().await;
}

#[tokio::test]
async fn metadata_of_any_characters_and_the_largest_size_is_kept_and_found() {
    let server = Server::start().await;
    let client = server.owner();
    let keys = ["plain", "nul \0 within", "'; DROP TABLE orgs; --", "\u{1f980}", "\\u0000"];
    let pairs = keys.map(|key| (key.to_owned(), incompressible(4_096)));
    let metadata = types::Metadata(pairs.into_iter().collect());
    let body = types::CreateSourceRepoRequest::builder().metadata(Some(metadata));
    let made = client.create_source_repo().body(body).send().await.expect("made").into_inner();
    client.create_source_repo().send().await.expect("one without metadata");

    for key in keys {
        let filter = serde_json::json!({ key: incompressible(4_096) }).to_string();
        let found = client.list_source_repos().filter_metadata(filter).send().await;
        let found = found.expect("listed").into_inner();
        let ids: Vec<_> = found.items.iter().map(|repo| repo.repo_id).collect();
        assert_eq!(ids, [made.repo_id], "{key:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_metadata_filter_asks_for_every_pair_it_names() {
    const PAIRS: usize = 64;
    let server = Server::start().await;
    let client = server.owner();
    let pairs: Vec<_> = (0..PAIRS).map(|n| (format!("key {n}"), format!("value {n}"))).collect();
    let all = types::Metadata(pairs.iter().cloned().collect());
    let some = types::Metadata(pairs[1..].iter().cloned().collect());
    let mut made = Vec::new();
    for metadata in [&all, &some] {
        let body = types::CreateSourceRepoRequest::builder().metadata(Some(metadata.clone()));
        made.push(client.create_source_repo().body(body).send().await.expect("made").repo_id);
    }
    let mut other = all.clone();
    other.0.insert("key 0".to_owned(), "another value".to_owned());
    for (filter, expected) in [(&all, &made[..1]), (&some, &made), (&other, &[])] {
        let filter = serde_json::to_string(filter).expect("JSON");
        let found = client.list_source_repos().filter_metadata(filter).send().await;
        let mut ids: Vec<_> =
            found.expect("listed").items.iter().map(|repo| repo.repo_id).collect();
        ids.sort();
        assert_eq!(ids, expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_nul_in_a_name_is_refused() {
    let server = Server::start().await;
    let url = format!("{}/workspace", server.url());
    let request = reqwest::Client::new().post(url).bearer_auth(crate::support::OWNER_TOKEN);
    let answer = request.json(&serde_json::json!({ "name": "a\0b" })).send().await.expect("sent");
    assert_eq!(answer.status(), 400);
    server.stop().await;
}

/// Text that does not shrink when the database packs it, the same at every call.
fn incompressible(bytes: usize) -> String {
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b' ' + u8::try_from((state >> 40) % 94).expect("below 94"))
    });
    letters.take(bytes).collect()
}

//! Several servers over one PostgreSQL, and a PostgreSQL that comes and goes.

use std::path::Path;

use repoplane::app::App;
use repoplane::config::Config;
use repoplane_client::{Client, types};
use tokio::net::TcpListener;

use crate::support::database::{Database, VARIABLE};
use crate::support::proxy::Proxy;
use crate::support::{OWNER_TOKEN, Server};

#[tokio::test]
async fn a_database_without_tables_is_refused_with_the_command_that_makes_them() {
    let Some(server) = postgres() else { return };
    let database = Database::create_empty_postgres(server).await;
    let folder = tempfile::tempdir().expect("temporary folder");
    let refusal = App::open(&config(folder.path(), database.url(folder.path()))).await;
    let refusal = refusal.err().expect("refused").to_string();
    assert!(refusal.contains("run: repoplane migrate"), "{refusal}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_make_one_owner() {
    if postgres().is_none() {
        return;
    }
    let database = Database::create().await;
    let folders = [(); 4].map(|()| tempfile::tempdir().expect("temporary folder"));
    let mut starts = tokio::task::JoinSet::new();
    for folder in &folders {
        share_master_key(folders[0].path(), folder.path());
        let config = config(folder.path(), database.url(folder.path()));
        starts.spawn(async move { App::open(&config).await.expect("a server that opens") });
    }
    let apps = starts.join_all().await;
    let owners = apps.iter().filter(|app| app.owner.is_some()).count();
    assert_eq!(owners, 1);
    for app in apps {
        app.services.store.close().await;
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_through_two_servers_lose_nothing() {
    const EDITS: usize = 20;
    if postgres().is_none() {
        return;
    }
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("temporary folder");
    share_master_key(server.folder(), folder.path());
    let app = App::open(&config(folder.path(), server.database_url())).await.expect("second");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let second = app.start(listener, None).expect("a second server");
    let url = format!("http://{}", second.address);
    let clients = [server.owner(), Client::connect(&url, OWNER_TOKEN).expect("its URL")];
    let repo = clients[0].create_source_repo().send().await.expect("made").repo_id;

    let mut edits = tokio::task::JoinSet::new();
    for (node, client) in clients.iter().enumerate() {
        for edit in 0..EDITS {
            let (client, name) = (client.clone(), format!("{node}/{edit}"));
            edits.spawn(async move { write(&client, repo, &name).await });
        }
    }
    edits.join_all().await;
    for client in &clients {
        let files = client.clone_source_repo().repo_id(repo).send().await.expect("cloned");
        assert_eq!(files.files.len(), clients.len() * EDITS);
    }
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn requests_get_503_while_the_database_is_away_and_work_again_after() {
    let Some(postgres) = postgres() else { return };
    let postgres: url::Url = postgres.parse().expect(VARIABLE);
    let address = postgres.socket_addrs(|| Some(5_432)).expect(VARIABLE)[0];
    let proxy = Proxy::to(address).await;
    let port = proxy.address.port();
    let server = Server::start_with(|config| {
        let mut url: url::Url =
            config.database.take().and_then(|url| url.parse().ok()).expect("a URL");
        url.set_port(Some(port)).expect("a port");
        config.database = Some(url.into());
    })
    .await;
    let client = server.owner();
    let repo = client.create_source_repo().send().await.expect("made").repo_id;

    proxy.cut();
    let refusal = client.get_profile().send().await.expect_err("no database");
    assert_eq!(refusal.status().map(|status| status.as_u16()), Some(503), "{refusal}");
    let refusal = client.get_source_repo().repo_id(repo).send().await.expect_err("no database");
    assert_eq!(refusal.status().map(|status| status.as_u16()), Some(503), "{refusal}");
    let unready = client.check_readiness().send().await.expect_err("no database");
    assert_eq!(unready.status().map(|status| status.as_u16()), Some(503), "{unready}");
    client.check_health().send().await.expect("the process is alive all the same");

    proxy.mend();
    client.check_readiness().send().await.expect("ready again");
    write(&client, repo, "after").await;
    server.stop().await;
}

/// A further server on the same data.
pub fn config(folder: &Path, database: String) -> Config {
    Config {
        data_dir: folder.to_owned(),
        database: Some(database),
        bootstrap_token: Some(OWNER_TOKEN.to_owned()),
        ..Config::default()
    }
}

/// The URL of a PostgreSQL to test on. Without one there is nothing to see here: CI runs the
/// suite a second time with one.
fn postgres() -> Option<String> {
    let url = std::env::var(VARIABLE).ok();
    if url.is_none() {
        println!("needs PostgreSQL; run: .ci/postgres cargo test --workspace --test it");
    }
    url
}

/// What an operator does who adds a server.
fn share_master_key(from: &Path, to: &Path) {
    let (from, to) = (from.join("master.key"), to.join("master.key"));
    repoplane::backend::vault::Vault::open_or_create(&from).expect("a master key");
    if !to.exists() {
        std::fs::copy(from, to).expect("a copy of the master key");
    }
}

async fn write(client: &Client, repo: uuid::Uuid, name: &str) {
    let source: types::EditSource = serde_json::from_value(serde_json::json!({
        "type": "diff",
        "operations": [{"type": "write", "filename": name, "content": name}],
    }))
    .expect("an edit");
    let body = types::EditSourceRepoRequest::builder().source(Some(source));
    client.edit_source_repo().repo_id(repo).body(body).send().await.expect("edited");
}

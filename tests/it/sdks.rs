//! The products' own clients, unchanged, against this server.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{OWNER_TOKEN, Server, peers};

/// Runs a client's script to its end, if the client is installed.
async fn run(installed: &str, program: &str, script: &str) {
    if !peers::installed(&[installed]) {
        return;
    }
    let program =
        if program.contains('/') { peers::folder().join(program) } else { program.into() };
    let server = Server::start().await;
    let mut command = Command::new(program);
    command
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
        .env("RELACE_BASE_URL", format!("{}/v1", server.url()))
        .env("RELACE_API_KEY", OWNER_TOKEN)
        .env("TEST_PEER_MODULES", peers::folder().join("node"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread");
    let output = output.expect("the client starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {words}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_works_unchanged() {
    run("python/bin/python", "python/bin/python", "python/sdk.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_sdk_works_unchanged() {
    run("node/node_modules/@relace-ai/relace", "node", "node/sdk.mjs").await;
}

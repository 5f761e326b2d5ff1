//! The products' own clients, unchanged, against this server.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{OWNER_TOKEN, Server};

/// Where `.ci/peers` installs them, unless `TEST_PEERS_DIR` says otherwise.
const INSTALLED: &str = "target/ci/peers";

fn peers() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join(std::env::var("TEST_PEERS_DIR").unwrap_or_else(|_| INSTALLED.to_owned()))
}

/// Whether tests may pass without the peers.
fn optional() -> bool {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    !is("CI", "true") && !is("TEST_PEERS", "required")
}

/// Runs a client's script to its end, if the client is installed.
async fn run(installed: &str, program: &str, script: &str) {
    let installed = peers().join(installed);
    if !installed.exists() {
        assert!(optional(), "{} is missing; install it with .ci/peers", installed.display());
        println!("left out: {} is missing; install it with .ci/peers", installed.display());
        return;
    }
    let program = if program.contains('/') { peers().join(program) } else { program.into() };
    let server = Server::start().await;
    let mut command = Command::new(program);
    command
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
        .env("RELACE_BASE_URL", format!("{}/v1", server.url()))
        .env("RELACE_API_KEY", OWNER_TOKEN)
        .env("TEST_PEER_MODULES", peers().join("node"))
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

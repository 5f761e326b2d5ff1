//! The products' own clients, unchanged, against this server.

use std::path::PathBuf;
use std::process::Command;

use crate::support::receiver::Receiver;
use crate::support::upstream::Upstream;
use crate::support::{OWNER_TOKEN, Server, peers};

/// Runs a client's script to its end, if the client is installed.
async fn run(installed: &str, program: &str, script: &str) {
    run_with(installed, program, script, &[]).await;
}

/// As [`run`], with more in the environment.
async fn run_with(installed: &str, program: &str, script: &str, more: &[(&str, String)]) {
    if !peers::installed(&[installed]) {
        return;
    }
    let program =
        if program.contains('/') { peers::folder().join(program) } else { program.into() };
    let server = Server::beside_receivers().await;
    let upstream = Upstream::start(server.url()).await;
    let (own, folder) = (server.address(), tempfile::tempdir().expect("temporary folder"));
    let mut command = Command::new(program);
    command
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
        .env("RELACE_BASE_URL", format!("{}/v1", server.url()))
        .env("RELACE_API_KEY", OWNER_TOKEN)
        .env("TEST_GIT_URL", upstream.base())
        .env("TEST_PEER_MODULES", peers::folder().join("node"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(more.iter().map(|(name, value)| (name, value)))
        .env("TMPDIR", folder.path())
        // Their git helpers know one host only.
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_COUNT", "3")
        .env("GIT_CONFIG_KEY_0", format!("url.http://token:{OWNER_TOKEN}@{own}/v1/.insteadOf"))
        .env("GIT_CONFIG_VALUE_0", format!("https://token:{OWNER_TOKEN}@api.relace.run/v1/"))
        .envs([("GIT_CONFIG_KEY_1", "user.name"), ("GIT_CONFIG_VALUE_1", "Ada")])
        .envs([("GIT_CONFIG_KEY_2", "user.email"), ("GIT_CONFIG_VALUE_2", "ada@example.org")]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread");
    let output = output.expect("the client starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {words}");
    server.stop().await;
}

/// Runs the part of the Python SDK that has to do with tokens and webhooks, of one version.
async fn run_python_access(version: &str, modules: Option<&str>) {
    let mut needed = vec!["python/bin/python"];
    needed.extend(modules);
    if !peers::installed(&needed) {
        return;
    }
    let server = Server::beside_receivers().await;
    let mut receiver = Receiver::start().await;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/python/access.py");
    let mut command = Command::new(peers::folder().join("python/bin/python"));
    command
        .arg(script)
        .env("RELACE_BASE_URL", format!("{}/v1", server.url()))
        .env("RELACE_API_KEY", OWNER_TOKEN)
        .env("TEST_WEBHOOK_URL", receiver.url())
        .env("TEST_SDK_VERSION", version)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(modules) = modules {
        command.env("PYTHONPATH", peers::folder().join(modules));
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread");
    let output = output.expect("the client starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "relace {version}: {words}");
    let said = String::from_utf8_lossy(&output.stdout);
    let head = said.trim().strip_prefix("told ").expect("the head that was told").to_owned();
    loop {
        let received = receiver.next().await;
        if received.event().data.after.as_ref() == Some(&head) {
            assert_eq!(received.header("authorization"), "Bearer let-me-in");
            break;
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_webhooks_of_the_python_sdk_work_unchanged() {
    run_python_access("2.1.0", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_webhooks_of_the_older_python_sdk_work_unchanged() {
    run_python_access("1.4.0", Some("python-1.4")).await;
}

const PYTHON: &str = "python/bin/python";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_of_the_python_sdk_works_unchanged() {
    let version = [("TEST_SDK_VERSION", "2.1.0".to_owned())];
    run_with(PYTHON, PYTHON, "python/search.py", &version).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_of_the_older_python_sdk_works_unchanged() {
    let modules = peers::folder().join("python-1.4").display().to_string();
    let more = [("TEST_SDK_VERSION", "1.4.0".to_owned()), ("PYTHONPATH", modules)];
    run_with("python-1.4", PYTHON, "python/search.py", &more).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_of_the_typescript_sdk_works_unchanged() {
    run("node/node_modules/@relace-ai/relace", "node", "node/search.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_works_unchanged() {
    run("python/bin/python", "python/bin/python", "python/sdk.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_sdk_works_unchanged() {
    run("node/node_modules/@relace-ai/relace", "node", "node/sdk.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdks_git_helpers_work_unchanged() {
    run("python/bin/python", "python/bin/python", "python/sdk_git.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_sdks_git_helpers_work_unchanged() {
    run("node/node_modules/@relace-ai/relace", "node", "node/sdk_git.mjs").await;
}

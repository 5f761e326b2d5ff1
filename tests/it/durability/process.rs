//! The server as a process of its own, which can be killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use repoplane_client::{Client, reqwest};

use crate::support::OWNER_TOKEN;

/// Longest time a start may take, whatever the last run left behind.
const READY_WITHIN: Duration = Duration::from_secs(5);

pub struct Process {
    child: Child,
    url: String,
    /// Of the S3 gateway, if there is one.
    pub s3: Option<String>,
    pub ready_after: Duration,
}

impl Process {
    pub async fn start(folder: &Path, database: &str) -> Self {
        Self::listening(folder, database, "off", &[]).await
    }

    /// With these variables around it.
    pub async fn start_in(folder: &Path, database: &str, variables: &[(&str, &str)]) -> Self {
        Self::listening(folder, database, "off", variables).await
    }

    /// With an S3 gateway, and with leave to reach clouds on this machine.
    pub async fn with_gateway(folder: &Path, database: &str) -> Self {
        Self::listening(folder, database, "127.0.0.1:0", &[]).await
    }

    async fn listening(
        folder: &Path,
        database: &str,
        s3: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        let started = Instant::now();
        let mut child = Command::new(binary())
            .arg("serve")
            .args([
                "--listen",
                "127.0.0.1:0",
                "--s3-listen",
                s3,
                "--database",
                database,
                "--data-dir",
            ])
            .arg(folder)
            .env("REPOPLANE_BOOTSTRAP_TOKEN", OWNER_TOKEN)
            .env("REPOPLANE_LIMITS__BURST", "1000000")
            .env("REPOPLANE_EGRESS__ALLOW", "127.0.0.0/8")
            .env("REPOPLANE_LOG__FORMAT", "json")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, url) = mpsc::channel();
        // Reads to the end, so that the server never waits for its log.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                match find(&entry, "url") {
                    Some(url) => drop(sender.send((url, find(&entry, "s3")))),
                    None => eprintln!("{line}"),
                }
            }
        });
        let (url, s3) =
            url.recv_timeout(READY_WITHIN).expect("a server that says where it listens");
        while !ready(&url).await {
            assert!(started.elapsed() < READY_WITHIN, "not ready after {READY_WITHIN:?}");
        }
        Self { child, url, s3, ready_after: started.elapsed() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn owner(&self) -> Client {
        Client::connect(&self.url, OWNER_TOKEN).expect("the server's URL")
    }

    /// SIGKILL: nothing is finished, nothing is written.
    pub fn kill(&mut self) {
        self.child.kill().expect("the right to kill");
        self.child.wait().expect("a dead server");
    }

    /// SIGTERM: what is under way is finished, and the cache written out.
    pub fn stop(&mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("the command kill");
        assert!(told.success());
        assert!(self.child.wait().expect("a stopped server").success());
    }
}

/// A failed test leaves no server behind.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ready(url: &str) -> bool {
    let answer = reqwest::get(format!("{url}/readyz")).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// A field of a log entry, wherever the format keeps it.
fn find(entry: &serde_json::Value, field: &str) -> Option<String> {
    let text = entry[field].as_str().or_else(|| entry["fields"][field].as_str())?;
    Some(text.to_owned())
}

/// The server's binary, built together with the tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().expect("the path of the tests");
    let folder = tests.ancestors().nth(2).expect("the folder of the build");
    let (binary, library) = (folder.join("repoplane"), folder.join("librepoplane.rlib"));
    let built = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    let fresh = built(&binary).is_some_and(|time| Some(time) >= built(&library));
    assert!(
        fresh,
        "{} is missing or older than the library; run: cargo build --workspace --all-targets",
        binary.display()
    );
    binary
}

//! Looking back and searching over HTTP, beside git on a clone of the same files, in the same run.
//!
//! `cargo build --release && cargo bench --bench history [-- CHECKOUT]`

mod load;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use load::sources::{checkout, fill, id_of, write};
use load::{Connection, Sample, Server, request};
use serde_json::json;

const FILES: usize = 3_088;
/// Longer ones are mostly generated.
const WRITTEN_BY_HAND_BYTES_MAX: usize = 32 * 1024;
const ROUNDS: usize = 200;
const ARCHIVES: usize = 10;
const GIT_ROUNDS: usize = 20;
const COMMITS: usize = 500;

#[tokio::main]
async fn main() {
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let mut files = checkout(4 * FILES);
    files.retain(|(_, text)| text.len() <= WRITTEN_BY_HAND_BYTES_MAX);
    files.truncate(FILES);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("{} files, {:.1} MB", files.len(), bytes as f64 / 1e6);
    let id = fill(&mut connection, &files).await;
    for n in 0..COMMITS {
        let change = write("src/changed.rs", &format!("// {n}\n").repeat(50));
        let body = json!({"source": {"type": "diff", "operations": [change]}}).to_string();
        let path = format!("/v1/repo/{id}/update");
        id_of(connection.send(&request("POST", &path, &body)).await, 200);
    }
    let clone = cloned(&files);
    for (name, query, git) in [
        (
            "grep, literal, rare",
            "grep?pattern=unreachable_pub",
            &["grep", "-nF", "unreachable_pub"][..],
        ),
        ("grep, literal, 100 of many", "grep?pattern=fn%20main", &["grep", "-nF", "fn main"]),
        (
            "grep, nothing found",
            "grep?pattern=no-such-word-anywhere",
            &["grep", "-nF", "no-such-word-anywhere"],
        ),
        (
            "grep, ignoring case",
            "grep?pattern=UNREACHABLE_PUB&ignore_case=true",
            &["grep", "-niF", "UNREACHABLE_PUB"],
        ),
        (
            "grep, regex",
            "grep?pattern=fn%20%5Ba-z_%5D%2B_for%5C(&regex=true",
            &["grep", "-nE", "fn [a-z_]+_for\\("],
        ),
        ("all paths", "tree?recursive=true&limit=10000", &["ls-tree", "-r", "-l", "HEAD"]),
        ("50 commits", "commits", &["log", "-50"]),
        ("archive, tar", "archive?format=tar", &["archive", "--format=tar", "HEAD"]),
    ] {
        let path = format!("/v1/repo/{id}/{query}");
        let first = get(&mut connection, &path, 1).await;
        let rounds = if name.starts_with("archive") { ARCHIVES } else { ROUNDS };
        let warm = get(&mut connection, &path, rounds).await;
        let beside = run(clone.path(), git);
        println!("{name}\n  first      {first}\n  repoplane  {warm}\n  git        {beside}");
    }
    println!("resident memory at the end: {:.1} MiB", server.rss_mib());
    server.stop();
}

async fn get(connection: &mut Connection, path: &str, rounds: usize) -> Sample {
    let request = request("GET", path, "");
    let (started, mut latencies) = (Instant::now(), Vec::new());
    for _ in 0..rounds {
        let sent = Instant::now();
        let (status, answer) = connection.send(&request).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(answer));
        latencies.push(sent.elapsed());
    }
    Sample::new(latencies, started.elapsed())
}

/// The files in a repository of git's own, packed, with as long a history.
fn cloned(files: &[(String, String)]) -> tempfile::TempDir {
    let folder = load::scratch_folder();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(path, text).expect("file");
    }
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--force", "--all"],
        &["commit", "--quiet", "-m", "all"],
        &["gc", "--quiet"],
    ] {
        assert!(git(folder.path(), arguments).status().expect("git is installed").success());
    }
    folder
}

fn run(repo: &Path, arguments: &[&str]) -> Sample {
    let (started, mut latencies) = (Instant::now(), Vec::new());
    for _ in 0..GIT_ROUNDS {
        let sent = Instant::now();
        git(repo, arguments).status().expect("git is installed");
        latencies.push(sent.elapsed());
    }
    Sample::new(latencies, started.elapsed())
}

fn git(repo: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(repo).args(arguments).stdout(Stdio::null());
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.envs([
        ("GIT_AUTHOR_NAME", "b"),
        ("GIT_AUTHOR_EMAIL", "b@b"),
        ("GIT_COMMITTER_NAME", "b"),
        ("GIT_COMMITTER_EMAIL", "b@b"),
    ]);
    git
}

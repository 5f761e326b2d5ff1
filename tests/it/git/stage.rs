//! Real git, which sees nothing of the machine it runs on, and a work tree to run it in.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use uuid::Uuid;

use crate::support::program::program;
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};

/// A folder of its own with one repository in it.
pub struct Work {
    folder: TempDir,
}

/// What git said, and whether it was content.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub out: Vec<u8>,
    /// With what the server said, after `remote:`.
    pub words: String,
}

impl Said {
    #[track_caller]
    pub fn well(self) -> String {
        assert!(self.ok, "{}", self.words);
        String::from_utf8(self.out).expect("UTF-8").trim_end().to_owned()
    }

    /// Its words, when it had to fail.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.ok, "not refused: {}", self.words);
        self.words
    }
}

/// Where a repo is, for whoever holds `token`.
pub fn url_of(base: &str, id: Uuid, token: &str) -> String {
    let host = base.strip_prefix("http://").expect("plain HTTP");
    format!("http://token:{token}@{host}/v1/repo/{id}.git")
}

pub fn url(server: &Server, repo: &Repo) -> String {
    url_of(&server.url(), repo.id, OWNER_TOKEN)
}

impl Work {
    /// An empty repository with the server's repo as its `origin`.
    pub async fn new(url: &str) -> Self {
        let work = Self { folder: tempfile::tempdir().expect("temporary folder") };
        std::fs::create_dir(work.tree()).expect("a folder");
        work.git(&["init", "-q", "-b", "main"]).await.well();
        work.git(&["remote", "add", "origin", url]).await.well();
        work
    }

    pub async fn clone(url: &str, options: &[&str]) -> Self {
        let (work, said) = Self::try_clone(url, options).await;
        said.well();
        work
    }

    pub async fn try_clone(url: &str, options: &[&str]) -> (Self, Said) {
        let work = Self { folder: tempfile::tempdir().expect("temporary folder") };
        let tree = work.tree();
        let target = tree.to_str().expect("UTF-8");
        let arguments = [&["clone", "-q"], options, &[url, target]].concat();
        let said = run(work.folder.path(), work.folder.path(), &arguments, b"").await;
        (work, said)
    }

    pub fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    pub async fn git(&self, arguments: &[&str]) -> Said {
        run(&self.tree(), self.folder.path(), arguments, b"").await
    }

    pub async fn git_with(&self, arguments: &[&str], input: &[u8]) -> Said {
        run(&self.tree(), self.folder.path(), arguments, input).await
    }

    /// Writes files and commits them; returns the commit.
    pub async fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let path = self.tree().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, content).expect("a file");
        }
        self.git(&["add", "-A"]).await.well();
        self.git(&["commit", "-q", "--allow-empty", "-m", "a commit"]).await.well();
        self.tip("HEAD").await
    }

    pub async fn tip(&self, name: &str) -> String {
        self.git(&["rev-parse", name]).await.well()
    }

    pub async fn push(&self, arguments: &[&str]) -> Said {
        self.git(&[&["push", "-q", "origin"], arguments].concat()).await
    }

    /// Where the server says that its refs point.
    pub async fn remote_refs(&self) -> Vec<(String, String)> {
        let said = self.git(&["ls-remote", "-q", "origin"]).await.well();
        let pair = |line: &str| {
            let (target, name) = line.split_once('\t').expect("two columns");
            (name.to_owned(), target.to_owned())
        };
        said.lines().map(pair).collect()
    }

    pub async fn remote_tip(&self, name: &str) -> Option<String> {
        let refs = self.remote_refs().await;
        refs.into_iter().find(|(found, _)| found == name).map(|(_, target)| target)
    }

    pub async fn fsck(&self) {
        self.git(&["fsck", "--strict", "--full", "--no-dangling"]).await.well();
    }
}

/// Always the same author and time, and no configuration but what is asked for.
async fn run(folder: &Path, home: &Path, arguments: &[&str], input: &[u8]) -> Said {
    const SAME: [(&str, &str); 10] = [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_AUTHOR_DATE", "1700000000 +0000"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_DATE", "1700000000 +0000"),
        ("LC_ALL", "C"),
    ];
    let mut child = Command::new(program("git"))
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(SAME)
        .env("HOME", home)
        .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.all=false"])
        .args(arguments)
        .current_dir(folder)
        .kill_on_drop(true)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Git may not be interested.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("git ends");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Said { ok: output.status.success(), out: output.stdout, words }
}

//! A repository made by git itself, and the same one on a server.

use std::path::Path;
use std::process::{Command, Stdio};

use futures::TryStreamExt;
use repoplane::model::id::SourceRepoId;
use repoplane::model::time::Timestamp;
use repoplane::service::packs;
use repoplane::store::{source_packs, source_refs};
use repoplane_client::types;
use tempfile::TempDir;

use crate::support::Server;
use crate::support::repo::{Repo, answer};

/// A work tree and its repository; every commit is a minute after the one before.
pub struct Past {
    folder: TempDir,
    minutes: u32,
}

impl Past {
    pub fn begin() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let past = Self { folder, minutes: 0 };
        past.git(&["init", "--quiet", "--initial-branch=main"]);
        past
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What git says; it has to succeed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_fed(arguments, b"")
    }

    pub fn git_fed(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.run(arguments, input);
        String::from_utf8_lossy(&output).trim_end().to_owned()
    }

    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.output(arguments, input);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {words}");
        output.stdout
    }

    /// Whether git succeeds, and what it says.
    pub fn try_run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.output(arguments, b"");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn output(&self, arguments: &[&str], input: &[u8]) -> std::process::Output {
        let date = format!("{} +0000", 1_700_000_000 + 60 * self.minutes);
        let mut child = Command::new("git")
            .args(["-c", "safe.directory=*", "-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(self.folder())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
            .envs([("GIT_COMMITTER_NAME", "Bob"), ("GIT_COMMITTER_EMAIL", "bob@example.com")])
            .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input).expect("input");
        child.wait_with_output().expect("git ends")
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.folder().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    /// Commits the work tree as it is; the id.
    pub fn commit(&mut self, message: &str) -> String {
        self.minutes += 1;
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.head()
    }

    /// Merges a branch into the one that is checked out; the id.
    pub fn merge(&mut self, branch: &str) -> String {
        self.minutes += 1;
        self.git(&["merge", "--quiet", "--no-ff", "-m", &format!("Merge {branch}"), branch]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// The lines that git writes.
    pub fn lines(&self, arguments: &[&str]) -> Vec<String> {
        self.git(arguments).lines().map(str::to_owned).collect()
    }

    /// The same repository on a server.
    pub async fn on(&self, server: &Server) -> Repo {
        let repo = Repo::create(&server.owner(), &[]).await;
        self.bring(server, &repo).await;
        repo
    }

    /// Makes a repo on a server what this one is: all objects, branches and tags.
    pub async fn bring(&self, server: &Server, repo: &Repo) {
        let services = server.services();
        let id = SourceRepoId::from(repo.id);
        let pack = self.run(&["pack-objects", "--all", "--quiet", "--stdout"], b"");
        let place = packs::place(&services.objects, id, &pack).await.expect("a place");
        let bytes = i64::try_from(pack.len()).expect("a small pack");
        let mut tx = services.store.begin().await.expect("a transaction");
        let (at, _) = source_refs::hold(&mut tx, id).await.expect("refs").expect("the repo");
        source_refs::advance(&mut tx, id, Some(bytes), Timestamp::now()).await.expect("advanced");
        source_packs::insert(&mut *tx, id, at.seq + 1, false, &place, bytes).await.expect("a row");
        for line in self.lines(&["for-each-ref", "--format=%(refname) %(objectname)"]) {
            let (name, target) = line.split_once(' ').expect("two words");
            let target = Some(target.parse().expect("an id"));
            source_refs::set(&mut tx, id, name, target).await.expect("a ref");
        }
        tx.commit().await.expect("committed");
    }
}

/// All commits that the server lists, in pages of `size`.
pub async fn log(repo: &Repo, at: &str, path: Option<&str>, size: u32) -> Vec<types::Commit> {
    let (mut commits, mut cursor) = (Vec::new(), None);
    loop {
        let mut request = repo.client.list_commits().repo_id(repo.id).ref_(at).limit(size);
        if let Some(path) = path {
            request = request.path(path);
        }
        if let Some(cursor) = cursor {
            request = request.cursor::<String>(cursor);
        }
        let page = answer(request.send().await).expect("a page");
        assert!(page.items.len() <= size as usize);
        commits.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return commits;
        }
    }
}

/// All paths that the server lists, in pages of `size`.
pub async fn tree(
    repo: &Repo,
    at: &str,
    path: Option<&str>,
    recursive: bool,
    size: u32,
) -> Vec<types::TreeEntry> {
    let mut request = repo.client.list_tree().repo_id(repo.id).ref_(at).limit(size);
    request = request.recursive(recursive);
    if let Some(path) = path {
        request = request.path(path);
    }
    request.stream().try_collect().await.expect("every page")
}

pub async fn commit(repo: &Repo, id: &str) -> types::CommitDetail {
    answer(repo.client.get_commit().repo_id(repo.id).commit_id(id).send().await).expect("a commit")
}

/// A history with two lines, a merge, renames, modes, a symlink, a submodule, a tag and binaries.
pub fn eventful() -> Past {
    let mut past = Past::begin();
    let numbers: String = (1..=60).map(|n| format!("line {n}\n")).collect();
    past.write("src/numbers.txt", &numbers);
    past.write("src/deep/er/leaf", "leaf\n");
    past.write("README.md", "# Read\n\nme\n");
    past.write("binary", [0, 1, 2, 255]);
    past.write("latin", b"caf\xe9\n");
    past.write("no newline", "one\ntwo");
    past.write("ünïcode \"quoted\"\t", "x\n");
    past.commit("Begin\n\nWith a body.");
    past.write("src/numbers.txt", numbers.replace("line 7\n", "seven\n").replace("line 50\n", ""));
    past.write("binary", [0, 9]);
    past.write("no newline", "one\ntwo\n");
    past.commit("Change lines far apart");
    past.git(&["checkout", "--quiet", "-b", "side/line"]);
    past.write("side.txt", "side\n");
    past.commit("Beside");
    past.git(&["mv", "src/deep/er/leaf", "src/leaf"]);
    past.git(&["mv", "src/numbers.txt", "counted.txt"]);
    past.write("counted.txt", numbers.replace("line 20\n", "twenty\n"));
    past.commit("Move and change");
    past.git(&["checkout", "--quiet", "main"]);
    past.write("main.txt", "main\n");
    std::os::unix::fs::symlink("README.md", past.folder().join("link")).expect("a symlink");
    past.commit("A symlink");
    past.merge("side/line");
    past.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},module", past.head())]);
    past.git(&["update-index", "--chmod=+x", "README.md"]);
    past.minutes += 1;
    past.git(&["commit", "--quiet", "-m", "A submodule, and a mode"]);
    past.git(&["tag", "-a", "v1", "-m", "The first"]);
    past.git(&["tag", "light", "HEAD~1"]);
    past.git(&["rm", "--quiet", "link", "latin"]);
    past.git(&["reset", "--quiet", "--", "module"]);
    past.write("link", "a file now\n");
    past.git(&["add", "link"]);
    past.minutes += 1;
    past.git(&["commit", "--quiet", "-m", "From symlink to file"]);
    past
}

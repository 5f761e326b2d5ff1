//! Names that no repository should hold, pushed by a client that does not mind: none that some
//! system would take for git's own folder gets in, and none that gets in does any harm.

use super::stage::{Work, url};
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

const BLOB: &str = "100644";
const LINK: &str = "120000";

/// What some file system or other takes for `.git`, a parent folder, or several names in one.
fn forbidden() -> Vec<(&'static str, String)> {
    let mut names: Vec<String> = [
        "",
        ".",
        "..",
        "/",
        "/abs",
        "a/b",
        "../a",
        "a/../b",
        "a/",
        "./a",
        "..//",
        ".git/config",
        "../../etc/passwd",
        ".git",
        ".GIT",
        ".Git",
        ".gIt",
        ".giT",
        "git~1",
        "GIT~1",
        "Git~1",
        "gIT~1",
        ".git ",
        ".git.",
        ".git..",
        ".git . .",
        ".git  ",
        "git~1.",
        "git~1 ",
        ".git::$INDEX_ALLOCATION",
        ".git:x",
        ".git::$DATA",
        "git~1:x",
        ".GIT:x",
        "a\\.git\\config",
        "x\\.git",
        "a\\.GIT",
        "\\.git",
        ".git\\hooks\\x",
        "a\\git~1",
        "a\\..\\.git",
    ]
    .map(str::to_owned)
    .into();
    // Apple's file system does not see these.
    let unseen = "\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{206a}\u{206b}\u{206c}\u{206d}\u{206e}\u{206f}\u{feff}";
    for unseen in unseen.chars() {
        for at in 0..=4 {
            for git in [".git", ".GIT"] {
                let (start, end) = git.split_at(at);
                names.push(format!("{start}{unseen}{end}"));
            }
        }
    }
    names.into_iter().map(|name| (BLOB, name)).collect()
}

/// Odd, but nobody's business: as files they are what they are.
fn odd() -> Vec<(&'static str, String)> {
    let names = [
        "a\nb",
        "a\rb",
        "\ta",
        "a\u{1b}[2Jb",
        "\u{7f}",
        "a\\b",
        "\\",
        "C:\\x",
        "CON",
        "aux.txt",
        "nul",
        "-rf",
        "--help",
        "$(x)",
        "`x`",
        ";x",
        "|x",
        "a b",
        " ",
        "...",
        ".gitx",
        ".gi",
        "git",
        "git~2",
        "\u{202e}gnp",
        "%2e%2e",
        "%2Fetc",
        "~",
        "~root",
        "*",
        "?",
        "\"",
        "'",
        "<x>",
        "a:b",
        "\u{fffd}",
    ];
    let mut found: Vec<_> = names.map(|name| (BLOB, name.to_owned())).into();
    found.push((BLOB, "x".repeat(256)));
    found.push((BLOB, "ü".repeat(2_000)));
    found.extend(
        ["../../../../etc/passwd", "/etc/passwd", ".git/config"].map(|_| (LINK, "link".to_owned())),
    );
    found
}

/// Commits a tree with one entry of that name, which git itself would not; returns commit and tree.
async fn commit(work: &Work, blob: &str, (mode, name): &(&str, String)) -> (String, String) {
    let id: Vec<u8> = (0..20)
        .map(|n| u8::from_str_radix(&blob[2 * n..2 * n + 2], 16).expect("hexadecimal"))
        .collect();
    let tree = [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id].concat();
    let tree = object(work, "tree", &tree).await;
    let who = "A <a@x> 1700000000 +0000";
    let parent = work.tip("origin/main").await;
    let text = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nx\n");
    (object(work, "commit", text.as_bytes()).await, tree)
}

/// An object that may be anything.
async fn object(work: &Work, kind: &str, content: &[u8]) -> String {
    let write = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
    work.git_with(&write, content).await.well()
}

/// Pushes these objects as a client would that looks at nothing; returns the report.
async fn push(server: &Server, repo: &Repo, work: &Work, command: &str, objects: &str) -> String {
    let pack = work.git_with(&["pack-objects", "-q", "--stdout"], objects.as_bytes()).await;
    assert!(pack.ok, "{}", pack.words);
    let command = format!("{command}\0 report-status");
    let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    body.extend_from_slice(&pack.out);
    let url = format!("{}/v1/repo/{}.git/git-receive-pack", server.url(), repo.id);
    let request = reqwest::Client::new()
        .post(url)
        .basic_auth("t", Some(OWNER_TOKEN))
        .header("content-type", "application/x-git-receive-pack-request");
    let answer = request.body(body).send().await.expect("an answer");
    answer.text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hostile_name_gets_in_and_no_odd_one_does_harm() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    let blob =
        work.git_with(&["hash-object", "-w", "--stdin"], b"../../../etc/passwd").await.well();
    let (forbidden, odd) = (forbidden(), odd());
    assert!(forbidden.len() + odd.len() >= 200, "{}", forbidden.len() + odd.len());
    let head = repo.head().await;
    for entry in &forbidden {
        let (commit, tree) = commit(&work, &blob, entry).await;
        let command = format!("{} {commit} refs/heads/hostile", "0".repeat(40));
        let objects = format!("{commit}\n{tree}\n{blob}\n");
        let said = push(&server, &repo, &work, &command, &objects).await;
        assert!(said.contains("ng refs/heads/hostile unpacker error"), "{entry:?}: {said}");
    }
    assert_eq!(work.remote_tip("refs/heads/hostile").await, None);
    for (number, entry) in odd.iter().enumerate() {
        let (commit, _) = commit(&work, &blob, entry).await;
        work.push(&["--force", &format!("{commit}:refs/heads/main")]).await.well();
        assert_eq!(repo.head().await, commit, "{entry:?}");
        repo.files().await;
        // Whatever it is called, it is in nobody's way, and can be removed.
        repo.changes(vec![write("beside", &number.to_string())]).await;
        assert_eq!(repo.files().await["beside"], number.to_string());
        work.git(&["fetch", "-q", "origin"]).await.well();
    }
    work.push(&["--force", &format!("{head}:refs/heads/main")]).await.well();
    // Not a file has come to be outside the server's folders, nor beside them.
    let mut found: Vec<_> = std::fs::read_dir(server.folder())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| !name.starts_with("repoplane.db"))
        .collect();
    found.sort();
    let known = ["cache", "disks", "incoming", "lock", "master.key", "objects"];
    assert!(found.iter().all(|name| known.contains(&name.as_str())), "{found:?}");
    server.stop().await;
}

#[tokio::test]
async fn objects_that_are_not_what_they_should_be_are_refused() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    let head = work.tip("HEAD").await;
    let tree = work.tip("HEAD^{tree}").await;
    let object = async |kind: &str, content: &[u8]| object(&work, kind, content).await;
    let who = "A <a@x> 1700000000 +0000";
    let absent = "1".repeat(40);
    let commit_of = |tree: &str| format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\n");
    // A commit, and what is sent with it.
    let mut commits = vec![
        (
            format!("tree {tree}\nparent {absent}\nauthor {who}\ncommitter {who}\n\nx\n"),
            String::new(),
        ),
        (commit_of(&absent), String::new()),
        (format!("tree {tree}\nauthor {who}\n\nx\n"), String::new()),
        (format!("tree {tree}\nauthor A <a@x 1 +0000\ncommitter {who}\n\nx\n"), String::new()),
        (format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\0y\n"), String::new()),
        ("garbage".to_owned(), String::new()),
    ];
    let modules = |url: &str| format!("[submodule \"x\"]\n\tpath = x\n\turl = {url}\n");
    let listed = [
        ("100644", modules("-u./x")),
        ("100644", modules("--upload-pack=x")),
        ("120000", "/etc/passwd".to_owned()),
    ];
    for (mode, content) in listed {
        let blob = object("blob", content.as_bytes()).await;
        let entry = format!("{mode} blob {blob}\t.gitmodules\n");
        let tree = work.git_with(&["mktree"], entry.as_bytes()).await.well();
        commits.push((commit_of(&tree), format!("{tree}\n{blob}\n")));
    }
    let nowhere = "0".repeat(40);
    for (content, beside) in commits {
        let commit = object("commit", content.as_bytes()).await;
        let command = format!("{nowhere} {commit} refs/heads/bad");
        let said = push(&server, &repo, &work, &command, &format!("{commit}\n{beside}")).await;
        assert!(said.contains("ng refs/heads/bad unpacker error"), "{content}: {said}");
    }
    // In the same way, what is good gets in.
    let commit = object("commit", commit_of(&tree).as_bytes()).await;
    let command = format!("{nowhere} {commit} refs/heads/good");
    let said = push(&server, &repo, &work, &command, &format!("{commit}\n")).await;
    assert!(said.contains("ok refs/heads/good"), "{said}");
    // Nor may a branch point to what is no commit, or not there.
    for (target, word) in [(tree.as_str(), "not to a tree"), (&absent, "lacks objects")] {
        let said =
            push(&server, &repo, &work, &format!("{head} {target} refs/heads/main"), "").await;
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(repo.head().await, head);
    server.stop().await;
}

//! Names that no repository should hold, pushed by a client that does not mind: none that some
//! system would take for git's own folder gets in, and none that gets in does any harm.

use super::stage::{Work, url};
use crate::support::Server;
use crate::support::repo::{Repo, write};

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

/// Commits a tree with one entry of that name; git itself would not.
async fn commit(work: &Work, blob: &str, (mode, name): &(&str, String)) -> String {
    let id: Vec<u8> = (0..20)
        .map(|n| u8::from_str_radix(&blob[2 * n..2 * n + 2], 16).expect("hexadecimal"))
        .collect();
    let tree = [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id].concat();
    let write = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let tree = work.git_with(&write, &tree).await.well();
    work.git(&["commit-tree", "-p", "main", "-m", "hostile", &tree]).await.well()
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
        let commit = commit(&work, &blob, entry).await;
        let said = work.push(&[&format!("{commit}:refs/heads/hostile")]).await.refused();
        assert!(said.contains("unpacker error"), "{entry:?}: {said}");
    }
    assert_eq!(work.remote_tip("refs/heads/hostile").await, None);
    for (number, entry) in odd.iter().enumerate() {
        let commit = commit(&work, &blob, entry).await;
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
    let object = async |kind: &str, content: &[u8]| {
        let write = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
        work.git_with(&write, content).await.well()
    };
    let who = "A <a@x> 1700000000 +0000";
    let absent = "1".repeat(40);
    let modules = |text: &str| format!("[submodule \"x\"]\n\tpath = x\n\turl = {text}\n");
    let mut commits = vec![
        format!("tree {tree}\nparent {absent}\nauthor {who}\ncommitter {who}\n\nx\n"),
        format!("tree {absent}\nauthor {who}\ncommitter {who}\n\nx\n"),
        format!("tree {tree}\nauthor {who}\n\nx\n"),
        format!("tree {tree}\nauthor A <a@x 1 +0000\ncommitter {who}\n\nx\n"),
        format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\0y\n"),
        "garbage".to_owned(),
    ];
    for url in ["-u./x", "--upload-pack=x", "https://x\n/y", "ext::sh -c x"] {
        let blob = object("blob", modules(url).as_bytes()).await;
        let listed = format!("100644 blob {blob}\t.gitmodules\n");
        let tree = work.git_with(&["mktree"], listed.as_bytes()).await.well();
        // Only what git knows to be dangerous; others are text like any other.
        if url.starts_with('-') {
            commits.push(format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\n"));
        }
    }
    let link = object("blob", b"/etc/passwd").await;
    let listed = format!("120000 blob {link}\t.gitmodules\n");
    let linked = work.git_with(&["mktree"], listed.as_bytes()).await.well();
    commits.push(format!("tree {linked}\nauthor {who}\ncommitter {who}\n\nx\n"));
    for content in commits {
        let commit = object("commit", content.as_bytes()).await;
        // The client would look for what the commit names; so the request is made by hand.
        let pack = work
            .git_with(&["pack-objects", "-q", "--stdout"], format!("{commit}\n").as_bytes())
            .await;
        let mut objects = format!("{commit}\n");
        for line in
            work.git(&["cat-file", "--batch-all-objects", "--batch-check"]).await.well().lines()
        {
            objects.push_str(&format!("{}\n", line.split(' ').next().expect("an id")));
        }
        let whole = work.git_with(&["pack-objects", "-q", "--stdout"], objects.as_bytes()).await;
        assert!(pack.ok && whole.ok);
        for pack in [pack.out, whole.out] {
            let command = format!("{} {commit} refs/heads/bad\0 report-status", "0".repeat(40));
            let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
            body.extend_from_slice(&pack);
            let url = format!("{}/v1/repo/{}.git/git-receive-pack", server.url(), repo.id);
            let request = reqwest::Client::new()
                .post(url)
                .basic_auth("t", Some(crate::support::OWNER_TOKEN))
                .header("content-type", "application/x-git-receive-pack-request");
            let answer = request.body(body).send().await.expect("an answer");
            let said = answer.text().await.expect("text");
            assert!(said.contains("ng refs/heads/bad"), "{content}: {said}");
        }
    }
    // Nor may a branch point to what is no commit.
    for (target, word) in [(tree.as_str(), "not to a tree"), (&absent, "lacks objects")] {
        let command = format!("{head} {target} refs/heads/main\0 report-status");
        let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
        let empty = work.git_with(&["pack-objects", "-q", "--stdout"], b"").await;
        body.extend_from_slice(&empty.out);
        let url = format!("{}/v1/repo/{}.git/git-receive-pack", server.url(), repo.id);
        let request = reqwest::Client::new()
            .post(url)
            .basic_auth("t", Some(crate::support::OWNER_TOKEN))
            .header("content-type", "application/x-git-receive-pack-request");
        let answer = request.body(body).send().await.expect("an answer");
        let said = answer.text().await.expect("text");
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(repo.head().await, head);
    server.stop().await;
}

//! What the door lets through, how much of it, and for how long.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use repoplane_client::reqwest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::stage::{Work, url, url_of};
use crate::durability::Numbers;
use crate::durability::process::Process;
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

fn at(server: &Server, repo: &Repo, path: &str) -> String {
    format!("{}/v1/repo/{}{path}", server.url(), repo.id)
}

async fn get(url: &str) -> u16 {
    let request = reqwest::Client::new().get(url).basic_auth("token", Some(OWNER_TOKEN));
    request.send().await.expect("an answer").status().as_u16()
}

/// Posts to `git-upload-pack` or `git-receive-pack`.
fn post(server: &Server, repo: &Repo, service: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new()
        .post(at(server, repo, &format!(".git/{service}")))
        .basic_auth("token", Some(OWNER_TOKEN))
        .header("content-type", format!("application/x-{service}-request"))
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content).expect("in memory");
    gzip.finish().expect("in memory")
}

#[tokio::test]
async fn nothing_but_the_smart_protocol_is_served() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    for path in [
        ".git/",
        ".git/HEAD",
        ".git/config",
        ".git/info/refs",
        ".git/info/refs?service=",
        ".git/info/refs?service=git-upload-archive",
        ".git/objects/info/packs",
        ".git/packed-refs",
        ".git/objects/info/alternates",
        ".git/refs/heads/main",
        ".git/hooks/post-receive",
        ".git/info/refs?service=upload-pack",
        "/info/refs?service=git-upload-pack",
        ".git.git/info/refs?service=git-upload-pack",
        ".GIT/info/refs?service=git-upload-pack",
        ".git%2F..%2Fx.git/info/refs?service=git-upload-pack",
        ".git/bundle-seq",
    ] {
        assert_eq!(get(&at(&server, &repo, path)).await, 404, "{path}");
    }
    assert_eq!(get(&at(&server, &repo, ".git/git-upload-pack")).await, 405);
    assert_eq!(get(&at(&server, &repo, ".git/info/refs?service=git-upload-pack")).await, 200);
    for service in ["git-upload-pack", "git-receive-pack"] {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json"] {
            let url = at(&server, &repo, &format!(".git/{service}"));
            let request = reqwest::Client::new().post(url).basic_auth("t", Some(OWNER_TOKEN));
            let answer = request.header("content-type", kind).body("0000").send().await;
            assert_eq!(answer.expect("an answer").status().as_u16(), 415, "{kind}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn bodies_that_git_would_not_send_are_refused() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let head = repo.head().await;
    let command = format!("{head} {head} refs/heads/x\0 report-status");
    let framed = format!("{:04x}{command}0000", command.len() + 4);
    for body in ["", "0", "0001", "garbage", "ffff", "0005x", "0009hello0000", &framed[..40]] {
        let answer = post(&server, &repo, "git-receive-pack").body(body.to_owned()).send().await;
        assert_eq!(answer.expect("an answer").status().as_u16(), 400, "{body}");
    }
    // Commands, and then no pack, or something else in its place.
    for pack in ["", "PACK", "PACK\0\0\0\x02\0\0\0\x01", "nothing that git would send"] {
        let body = format!("{framed}{pack}");
        let answer = post(&server, &repo, "git-receive-pack").body(body).send().await;
        let said = answer.expect("an answer").text().await.expect("text");
        assert!(said.contains("ng refs/heads/x unpacker error"), "{said}");
    }
    let answer = post(&server, &repo, "git-receive-pack").header("content-encoding", "br");
    let answer = answer.body("0000").send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 415);
    for body in [b"no gzip".to_vec(), packed(&[b'0'; 4_000])[..12].to_vec()] {
        for service in ["git-upload-pack", "git-receive-pack"] {
            let request = post(&server, &repo, service).header("content-encoding", "gzip");
            let answer = request.body(body.clone()).send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), 400, "{service}");
        }
    }
    // What a client sends to try whether it may push.
    let answer = post(&server, &repo, "git-receive-pack").body("0000").send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.bytes().await.expect("a body").len(), 0);
    assert_eq!(repo.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_packed_body_is_bounded_by_what_it_unpacks_to() {
    let server = Server::start_with(|config| config.git.push_mib = 1).await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let bomb = packed(&vec![b'0'; 17 * 1024 * 1024]);
    assert!(bomb.len() < 100_000);
    let request = post(&server, &repo, "git-upload-pack").header("content-encoding", "gzip");
    let answer = request.body(bomb.clone()).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 413);
    let head = repo.head().await;
    let command = format!("{} {head} refs/heads/x\0 report-status", "0".repeat(40));
    let mut push = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    push.extend_from_slice(&vec![b'x'; 17 * 1024 * 1024]);
    let request = post(&server, &repo, "git-receive-pack").header("content-encoding", "gzip");
    let answer = request.body(packed(&push)).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 413);
    server.stop().await;
}

#[tokio::test]
async fn a_push_has_a_size_limit() {
    let server = Server::start_with(|config| config.git.push_mib = 1).await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    let mut numbers = Numbers(5);
    let before = work.tip("main").await;
    work.commit(&[("large", &numbers.text(2_000_000))]).await;
    let said = work.push(&["main"]).await.refused();
    assert!(said.contains("maximum allowed size") || said.contains("exceeds"), "{said}");
    assert_eq!(repo.head().await, before);
    work.git(&["reset", "-q", "--hard", &before]).await.well();
    work.commit(&[("small", &numbers.text(300_000))]).await;
    work.push(&["main"]).await.well();
    server.stop().await;
}

/// Starts a clone and does not read what comes.
async fn idle_clone(server: &Server, repo: &Repo) -> TcpStream {
    let want = format!("want {}\n", repo.head().await);
    let request =
        format!("0011command=fetch0001000fno-progress{:04x}{want}0009done\n0000", want.len() + 4);
    let credentials = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(format!("t:{OWNER_TOKEN}"))
    };
    let head = format!(
        "POST /v1/repo/{}.git/git-upload-pack HTTP/1.1\r\nhost: x\r\ngit-protocol: version=2\r\n\
         authorization: Basic {credentials}\r\ncontent-length: {}\r\n\
         content-type: application/x-git-upload-pack-request\r\n\r\n{request}",
        repo.id,
        request.len()
    );
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("a status");
    assert_eq!(&start, b"HTTP/1.1 200");
    stream
}

/// A repo that no pair of sockets holds in their buffers.
async fn large_repo(server: &Server) -> Repo {
    let repo = Repo::create(&server.owner(), &[]).await;
    let mut numbers = Numbers(3);
    for number in 0..3 {
        let text = numbers.text(10_000_000);
        repo.diff(vec![write(&format!("f{number}"), &text)]).await.expect("an edit");
    }
    repo
}

#[tokio::test]
async fn one_too_many_is_told_to_come_back() {
    let server = Server::start_with(|config| {
        config.git.concurrent = 1;
        config.git.wait_seconds = 0;
    })
    .await;
    let repo = large_repo(&server).await;
    let holder = idle_clone(&server, &repo).await;
    for service in ["git-upload-pack", "git-receive-pack"] {
        let answer = post(&server, &repo, service).body("0000").send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 503, "{service}");
        assert_eq!(answer.headers()["retry-after"], "1");
    }
    // The one that goes makes room, and its git ends with it.
    drop(holder);
    loop {
        let answer = post(&server, &repo, "git-receive-pack").body("0000").send().await;
        match answer.expect("an answer").status().as_u16() {
            200 => break,
            status => assert_eq!(status, 503),
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn whoever_neither_reads_nor_sends_is_given_up() {
    let server = Server::start_with(|config| {
        config.git.concurrent = 1;
        config.git.idle_seconds = 1;
        config.git.wait_seconds = 30;
    })
    .await;
    let repo = large_repo(&server).await;
    let holder = idle_clone(&server, &repo).await;
    // Waits for its turn, which comes although the other one is still there.
    let answer = post(&server, &repo, "git-receive-pack").body("0000").send().await;
    assert_eq!(answer.expect("an answer").status().as_u16(), 200);
    drop(holder);
    // Begins a push and does not go on.
    let stalled = futures::stream::once(async { Ok::<_, std::io::Error>("00") });
    let stalled = futures::StreamExt::chain(stalled, futures::stream::pending());
    let request =
        post(&server, &repo, "git-receive-pack").body(reqwest::Body::wrap_stream(stalled));
    assert_eq!(request.send().await.expect("an answer").status().as_u16(), 408);
    server.stop().await;
}

#[tokio::test]
async fn only_pushable_refs_are_shown() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    let cached = PathBuf::from(server.cached(repo.id));
    std::fs::create_dir_all(cached.join("refs/internal")).expect("a folder");
    let head = format!("{}\n", repo.head().await);
    std::fs::write(cached.join("refs/internal/x"), &head).expect("a ref");
    std::fs::write(cached.join("refs/heads/shown"), &head).expect("a ref");
    for version in ["0", "1", "2"] {
        let option = format!("protocol.version={version}");
        let said = work.git(&["-c", &option, "ls-remote", "origin"]).await.well();
        assert!(said.contains("refs/heads/shown") && !said.contains("internal"), "{said}");
    }
    server.stop().await;
}

/// Neither what is around the server nor what is in the repository makes git do anything else.
#[tokio::test]
async fn git_runs_without_hooks_and_without_the_configuration_of_others() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let canary = folder.path().join("canary");
    let script = folder.path().join("script");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\nexit 1\n", canary.display()))
        .expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let script = script.to_str().expect("UTF-8");
    let config = format!(
        "[core]\n\thooksPath = {}\n\tfsmonitor = {script}\n[uploadpack]\n\tpackObjectsHook = {script}\n\
         [receive]\n\tdenyCurrentBranch = refuse\n[alias]\n\tupload-pack = !{script}\n",
        folder.path().display()
    );
    std::fs::write(folder.path().join(".gitconfig"), config).expect("a configuration");
    let data = folder.path().join("data");
    let database = crate::support::database::Database::create().await;
    let home = folder.path().to_str().expect("UTF-8");
    let environment = [
        ("HOME", home),
        ("GIT_DIR", "/nonexistent"),
        ("GIT_EXEC_PATH", "/nonexistent"),
        ("GIT_TRACE", canary.to_str().expect("UTF-8")),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "uploadpack.packObjectsHook"),
        ("GIT_CONFIG_VALUE_0", script),
    ];
    let url = database.url(&data);
    std::fs::create_dir(&data).expect("a folder");
    let mut server = Process::start_in(&data, &url, &environment).await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let at = url_of(server.url(), repo.id, OWNER_TOKEN);
    let work = Work::clone(&at, &[]).await;
    for shelf in crate::support::fsck::repositories(&data.join("cache")) {
        std::fs::create_dir_all(shelf.join("hooks")).expect("a folder");
        for hook in
            ["pre-receive", "update", "post-receive", "post-update", "reference-transaction"]
        {
            std::fs::copy(script, shelf.join("hooks").join(hook)).expect("a hook");
        }
    }
    for number in 0..2 {
        let size = [10, 500_000][number];
        work.commit(&[("b", &Numbers(8).text(size))]).await;
        work.push(&["main"]).await.well();
        Work::clone(&at, &[]).await;
    }
    assert!(!canary.exists(), "something ran that must not");
    server.stop();
    database.drop().await;
}

#[tokio::test]
async fn git_asks_no_more_often_than_its_token_may() {
    let one = std::num::NonZeroU32::MIN;
    let server = Server::start_with(|config| {
        config.limits.requests_per_second = one;
        config.limits.burst = one.saturating_add(1);
    })
    .await;
    // One request by the API, and the same token has one left.
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let started = std::time::Instant::now();
    let path = at(&server, &repo, ".git/info/refs?service=git-upload-pack");
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..10 {
        let request = reqwest::Client::new().get(&path).basic_auth("token", Some(OWNER_TOKEN));
        let answer = request.send().await.expect("an answer");
        match answer.status().as_u16() {
            200 => passed += 1,
            429 => {
                assert_eq!(answer.headers()["retry-after"], "1");
                let said = answer.text().await.expect("words");
                assert_eq!(said, "Too many requests. Try again in 1 s.\n");
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    let most = 2 + started.elapsed().as_secs();
    assert!(passed <= most && refused > 0, "{passed} of 10 passed, where {most} may");
    server.stop().await;
}

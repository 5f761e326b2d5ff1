//! The bytes and modes of files.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use repoplane_client::types::{EditOperation, FileEncoding, FileMode};
use serde_json::json;

use super::paths::raw_edit;
use crate::support::Server;
use crate::support::fsck::git;
use crate::support::repo::{Repo, delete, path, rename, write, write_as};

#[tokio::test]
async fn base64_carries_any_bytes() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let binary = EditOperation::Write {
        filename: path("all.bin"),
        content: BASE64_STANDARD.encode(&bytes),
        encoding: Some(FileEncoding::Base64),
        mode: None,
    };
    assert_eq!(repo.changes(vec![binary, write("t", "text")]).await, ["all.bin", "t"]);
    assert_eq!(repo.read("all.bin").await.expect("the file"), bytes);
    // A clone is of text files.
    assert_eq!(repo.files().await.into_keys().collect::<Vec<_>>(), ["t"]);
    for not_standard in ["a", "YQ", "YQ=", "YQ==\n", "-_-_", "YR=="] {
        let operation = json!({"type": "write", "filename": "x", "content": not_standard,
            "encoding": "base64"});
        let (status, body) = raw_edit(&server, &repo, operation).await;
        assert_eq!(status, 422, "{not_standard}");
        assert_eq!(
            body["detail"][0]["loc"],
            json!(["body", "source", "operations", "0", "content"])
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn text_is_stored_as_it_is_sent() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    for text in ["", "\n", "\r\n", "no newline", "\u{feff}bom", "nul\0inside", "ünï – 漢字 🦀"]
    {
        repo.diff(vec![write("f", text)]).await.expect("an edit");
        assert_eq!(repo.read("f").await.expect("the file"), text.as_bytes(), "{text:?}");
        assert_eq!(repo.files().await["f"], text, "{text:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_mode_is_kept_until_another_one_is_asked_for() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let (plain, executable) = (Some(FileMode::X100644), Some(FileMode::X100755));
    let steps = [
        vec![write_as("run", "1", executable), write("plain", "1")],
        vec![write("run", "2"), rename("run", "bin/run")],
        vec![delete("bin/run"), write("bin/run", "3")],
        vec![write_as("plain", "1", executable)],
        vec![write_as("plain", "1", plain)],
    ];
    let mut heads = Vec::new();
    for step in steps {
        let done = repo.diff(step).await.expect("an edit");
        assert_ne!(done.changed_files, Some(vec![]), "a mode alone is a change");
        heads.push(done.repo_head);
    }
    let server = server.restart().await;
    let modes = |commit: &str| -> Vec<String> {
        let tree = git(&["-C", &server.cached(repo.id), "ls-tree", "-r", commit]);
        tree.lines().map(|line| format!("{} {}", &line[..6], &line[53..])).collect()
    };
    assert_eq!(modes(&heads[0]), ["100644 plain", "100755 run"]);
    assert_eq!(modes(&heads[1]), ["100755 bin/run", "100644 plain"], "a rename keeps the mode");
    assert_eq!(modes(&heads[2]), ["100644 bin/run", "100644 plain"], "a new file is plain");
    assert_eq!(modes(&heads[3]), ["100644 bin/run", "100755 plain"]);
    assert_eq!(modes(&heads[4]), ["100644 bin/run", "100644 plain"]);
    server.stop().await;
}

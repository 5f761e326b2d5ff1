//! What was pushed is in the database and the object store, whatever becomes of the cache.

use std::path::{Path, PathBuf};

use repoplane_client::types::{CreateSource, CreateSourceRepoRequest};

use super::stage::{Work, url};
use crate::durability::Numbers;
use crate::durability::compaction::compacted_to;
use crate::support::Server;
use crate::support::repo::{Repo, created, write};

/// Branches, tags, deltas, packs of every size, and edits in between.
async fn repo_with_history(server: &Server) -> (Repo, Work) {
    let mut numbers = Numbers(7);
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(server, &repo), &[]).await;
    for number in 0..6 {
        let size = if number == 2 { 600_000 } else { 3_000 };
        let many = if number == 4 { 200 } else { 2 };
        let text = numbers.text(size);
        let names: Vec<_> = (0..many).map(|file| format!("d{number}/{file}")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
        work.commit(&files).await;
        let branch = format!("main:refs/heads/b{number}");
        work.git(&["tag", "-a", &format!("v{number}"), "-m", "a tag"]).await.well();
        work.push(&["main", &branch, "--tags"]).await.well();
        repo.changes(vec![write("a", &number.to_string())]).await;
        work.git(&["pull", "-q", "--ff-only"]).await.well();
    }
    // A branch whose commits no other ref names.
    work.git(&["checkout", "-q", "-B", "alone", "origin/main~3"]).await.well();
    work.commit(&[("alone", "alone")]).await;
    work.push(&["alone"]).await.well();
    (repo, work)
}

/// A clone has every ref, and is sound.
async fn check(server: &Server, repo: &Repo, expected: &[(String, String)], what: &str) {
    let work = Work::clone(&url(server, repo), &["--mirror"]).await;
    assert_eq!(work.remote_refs().await, expected, "{what}");
    work.fsck().await;
    for (name, target) in expected {
        let (name, target) = (name.strip_suffix("^{}").unwrap_or(name), target);
        assert!(work.git(&["cat-file", "-e", target]).await.ok, "{what}: {name}");
    }
    assert!(repo.seen_by(&server.owner()).files().await.contains_key("a"), "{what}");
}

fn drop_cache(folder: &Path) {
    std::fs::remove_dir_all(folder.join("cache")).expect("a cache");
}

#[tokio::test]
async fn a_cache_that_is_gone_is_built_again_with_every_ref() {
    let server = Server::start().await;
    let (repo, work) = repo_with_history(&server).await;
    let refs = work.remote_refs().await;
    assert!(refs.len() > 15, "{refs:?}");
    check(&server, &repo, &refs, "as pushed").await;
    drop_cache(server.folder());
    check(&server, &repo, &refs, "cache deleted while the server runs").await;
    for damage in ["config", "objects/pack"] {
        let path = PathBuf::from(server.cached(repo.id)).join(damage);
        let removed = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        removed.expect(damage);
        check(&server, &repo, &refs, damage).await;
    }
    let cached = PathBuf::from(server.cached(repo.id));
    let lose_refs = |_: &Path| {
        for name in ["packed-refs", "refs/heads/main"] {
            std::fs::remove_file(cached.join(name)).expect(name);
        }
    };
    let server = server.restart_after(lose_refs).await;
    check(&server, &repo, &refs, "refs deleted while it was down").await;
    let server = server.restart_after(drop_cache).await;
    check(&server, &repo, &refs, "cache deleted while it was down").await;
    let server = server.restart().await;
    check(&server, &repo, &refs, "after a restart").await;
    server.stop().await;
}

/// What a power cut does to files that nobody waited for.
#[tokio::test]
async fn a_cache_from_before_a_reboot_is_not_trusted() {
    fn empty_all(folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                empty_all(&path);
            } else {
                std::fs::remove_file(&path).expect("removed");
                std::fs::write(&path, "").expect("written");
            }
        }
    }
    let server = Server::start().await;
    let (repo, work) = repo_with_history(&server).await;
    let refs = work.remote_refs().await;
    let server = server
        .restart_after(|folder| {
            empty_all(&folder.join("cache"));
            std::fs::write(folder.join("cache/boot-id"), "another").expect("written");
        })
        .await;
    check(&server, &repo, &refs, "after a reboot").await;
    server.stop().await;
}

#[tokio::test]
async fn a_push_after_the_cache_is_gone_finds_what_it_builds_on() {
    let server = Server::start().await;
    let (repo, work) = repo_with_history(&server).await;
    work.git(&["checkout", "-q", "-B", "main", "origin/main"]).await.well();
    for number in 0..3 {
        drop_cache(server.folder());
        let pushed = work.commit(&[("after", &number.to_string())]).await;
        work.push(&["main"]).await.well();
        assert_eq!(repo.head().await, pushed);
    }
    server.stop().await;
}

#[tokio::test]
async fn putting_bundles_together_keeps_the_objects_of_every_ref() {
    let server = Server::start().await;
    let (repo, work) = repo_with_history(&server).await;
    let refs = work.remote_refs().await;
    let store = &server.services().store;
    // The next change is the one too many.
    let many = sqlx::query("UPDATE source_repos SET bundles = 200");
    many.execute(store.write_now()).await.expect("the database");
    work.push(&["alone:refs/heads/last"]).await.well();
    let refs = [refs, vec![("refs/heads/last".to_owned(), work.tip("alone").await)]].concat();
    let refs = {
        let mut refs = refs;
        refs[1..].sort();
        refs
    };
    compacted_to(&server, &repo, 0).await;
    check(&server, &repo, &refs, "after compaction").await;
    let server = server.restart_after(drop_cache).await;
    check(&server, &repo, &refs, "from the one pack").await;
    server.stop().await;
}

#[tokio::test]
async fn a_copy_has_the_same_refs_and_goes_its_own_way() {
    let server = Server::start().await;
    let (repo, work) = repo_with_history(&server).await;
    let refs = work.remote_refs().await;
    let source =
        CreateSource::Relace { repo_id: repo.id, copy_metadata: false, copy_remote: false };
    let body = CreateSourceRepoRequest { source: Some(source), ..Default::default() };
    let made = created(server.owner().create_source_repo().body(body).send().await);
    let copy = Repo { client: server.owner(), id: made.repo_id };
    check(&server, &copy, &refs, "a copy").await;
    let theirs = Work::clone(&url(&server, &copy), &[]).await;
    theirs.commit(&[("mine", "1")]).await;
    theirs.push(&["main"]).await.well();
    theirs.push(&["--delete", "b1"]).await.well();
    check(&server, &repo, &refs, "the original").await;
    assert_eq!(theirs.remote_refs().await.len(), refs.len() - 1);
    server.stop().await;
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let work = Work::clone(&url(&server, &repo), &[]).await;
    work.commit(&[("large", &Numbers(9).text(500_000))]).await;
    let said = work.push(&["main:refs/pull/1"]).await.refused();
    assert!(said.contains("only branches"), "{said}");
    let objects = server.folder().join("objects/source").join(repo.id.to_string());
    let left = std::fs::read_dir(objects).map_or(0, Iterator::count);
    assert_eq!(left, 0, "packs in the object store");
    let left = std::fs::read_dir(server.folder().join("incoming")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "quarantines");
    server.stop().await;
}

/// One server takes the push, the other serves it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_takes_another_serves() {
    let server = Server::start().await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let here = Work::clone(&url(&server, &repo), &[]).await;
    let there = super::stage::url_of(&second.url(), repo.id, crate::support::OWNER_TOKEN);
    let there = Work::clone(&there, &[]).await;
    let mut numbers = Numbers(11);
    for round in 0..6 {
        let (one, other) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let size = if round < 4 { 100 } else { 400_000 };
        let pushed = one.commit(&[("f", &numbers.text(size))]).await;
        let branch = format!("main:refs/heads/r{round}");
        one.push(&["main", &branch]).await.well();
        other.git(&["pull", "-q", "--ff-only"]).await.well();
        assert_eq!(other.tip("HEAD").await, pushed);
        assert_eq!(one.remote_refs().await, other.remote_refs().await);
        assert_eq!(repo.seen_by(&second.owner()).head().await, pushed);
    }
    second.stop().await;
    server.stop().await;
}

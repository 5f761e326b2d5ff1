//! The cache on disk is lost or damaged; everything is still served, from the database.

use std::fs;
use std::path::{Path, PathBuf};

use super::Numbers;
use crate::support::Server;
use crate::support::fsck;
use crate::support::repo::{Files, Repo, write};

/// A repo with some history, in loose objects, packs and the object store, and what each of
/// its commits holds.
async fn repo_with_history(server: &Server) -> (Repo, Vec<(String, Files)>) {
    let mut numbers = Numbers(2);
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let mut history = vec![(repo.head().await, repo.files().await)];
    for number in 0..12 {
        let size = if number == 5 { 400_000 } else { 100 };
        let many = if number == 7 { 50 } else { 2 };
        let writes = (0..many).map(|file| write(&format!("d{file}/f"), &numbers.text(size)));
        let done = repo.diff(writes.collect()).await.expect("an edit");
        history.push((done.repo_head, repo.files().await));
    }
    (repo, history)
}

async fn check(server: &Server, repo: &Repo, history: &mut Vec<(String, Files)>, what: &str) {
    let repo = repo.seen_by(&server.owner());
    for (commit, files) in history.iter() {
        assert!(repo.files_at(commit).await.expect(what) == *files, "{what}: {commit}");
    }
    let done = repo.diff(vec![write("after", what)]).await.expect(what);
    assert_eq!(repo.files().await["after"], what);
    history.push((done.repo_head, repo.files().await));
}

fn repository(folder: &Path) -> PathBuf {
    fsck::repositories(&folder.join("cache")).pop().expect("one cached repo")
}

/// Every file below a folder.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("entry").path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// Cuts files to a part of their length. Git makes its files read-only.
fn truncate(files: Vec<PathBuf>, keep: impl Fn(usize) -> usize) {
    for path in files {
        let whole = fs::read(&path).expect("a file");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, &whole[..keep(whole.len())]).expect("written");
    }
}

type Damage = (&'static str, fn(&Path));

const DAMAGES: [Damage; 15] = [
    ("nothing", |_| {}),
    ("no cache", |repo| fs::remove_dir_all(repo).expect("removed")),
    ("no objects", |repo| fs::remove_dir_all(repo.join("objects")).expect("removed")),
    ("no branch", |repo| fs::remove_file(repo.join("refs/heads/main")).expect("removed")),
    ("objects cut in half", |repo| truncate(all_files(&repo.join("objects")), |size| size / 2)),
    ("objects empty", |repo| truncate(all_files(&repo.join("objects")), |_| 0)),
    ("objects one byte short", |repo| {
        truncate(all_files(&repo.join("objects")), |size| size.saturating_sub(1));
    }),
    ("garbage index", |repo| {
        fs::write(repo.join("objects/pack/pack-0.idx"), "garbage").expect("written");
    }),
    ("garbage everywhere", |repo| {
        for name in ["HEAD", "config", "objects/ab", "objects/pack/x.pack", "objects/tmp_obj_1"] {
            let path = repo.join(name);
            fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).unwrap_or_default();
            fs::write(path, "garbage").expect("written");
        }
    }),
    ("garbage branch", |repo| {
        fs::write(repo.join("refs/heads/main"), "garbage").expect("written");
    }),
    ("marker ahead", |repo| fs::write(repo.join("bundle-seq"), "999999\n").expect("written")),
    ("marker behind", |repo| fs::write(repo.join("bundle-seq"), "3\n").expect("written")),
    ("marker garbage", |repo| fs::write(repo.join("bundle-seq"), "many").expect("written")),
    ("marker alone", |repo| {
        fs::remove_dir_all(repo.join("objects")).expect("removed");
        fs::remove_dir_all(repo.join("refs")).expect("removed");
    }),
    ("a file instead", |repo| {
        fs::remove_dir_all(repo).expect("removed");
        fs::write(repo, "garbage").expect("written");
    }),
];

#[tokio::test]
async fn a_cache_damaged_while_the_server_is_down_is_built_again() {
    let mut server = Server::start().await;
    let (repo, mut history) = repo_with_history(&server).await;
    for (what, damage) in DAMAGES {
        server = server.restart_after(|folder| damage(&repository(folder))).await;
        check(&server, &repo, &mut history, what).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_cache_deleted_while_the_server_runs_is_built_again() {
    let server = Server::start().await;
    let (repo, mut history) = repo_with_history(&server).await;
    for what in ["once", "twice"] {
        for path in fsck::repositories(&server.folder().join("cache")) {
            fs::remove_dir_all(path).expect("removed");
        }
        check(&server, &repo, &mut history, what).await;
    }
    fs::remove_dir_all(server.folder().join("cache")).expect("removed");
    // An edit first this time, and enough of them to be written out.
    for number in 0..300 {
        repo.diff(vec![write("n", &number.to_string())]).await.expect("an edit");
    }
    check(&server, &repo, &mut history, "all of it").await;
    let server = server.restart().await;
    check(&server, &repo, &mut history, "after a restart").await;
    server.stop().await;
}

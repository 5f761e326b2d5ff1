//! `repoplane source` on a server that runs, beside real git.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::process::{Place, started};

/// Runs `repoplane source` with the words of `line`; what it printed.
async fn source(place: &Place, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    place.done(&[&["source"], &words[..]].concat()).await
}

/// Runs `repoplane source` with the words of `line`, which must be refused; what it said.
async fn refused(place: &Place, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    place.refused(&[&["source"], &words[..]].concat()).await
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, content).expect("a file");
}

#[tokio::test]
async fn a_folder_becomes_a_repo_without_what_git_ignores() {
    let (place, server) = started().await;
    let folder = place.path().join("project");
    write(&folder, "src/main.rs", b"fn main() {}\n");
    write(&folder, "logo.png", &[0xff, 0, 0xfe, 1]);
    write(&folder, "run.sh", b"#!/bin/sh\n");
    let runnable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.join("run.sh"), runnable).expect("a mode");
    write(&folder, ".gitignore", b"target/\n*.log\n");
    write(&folder, "target/out", b"no");
    write(&folder, "a.log", b"no");
    write(&folder, ".git/config", b"no");
    // Too many for one request, and one that goes alone.
    for number in 0..2_100 {
        write(&folder, &format!("many/{number}"), b"x");
    }
    write(&folder, "large", &vec![b'x'; 9 * 1024 * 1024]);
    std::os::unix::fs::symlink("logo.png", folder.join("link")).expect("a link");

    let made = place.run(&["source", "create", "--name", "pictures", "--from", "project"]).await;
    assert!(made.success && made.err.contains("link: a symlink"), "{made:?}");
    let id = made.out.trim_end();
    let tree = source(&place, "tree pictures").await;
    assert_eq!(tree.lines().count(), 1 + 2_100 + 5, "the header, and the files");
    assert!(tree.lines().any(|line| line.starts_with("100755") && line.ends_with("run.sh")));
    let clone = place.run(&["source", "clone", "pictures"]).await;
    assert!(clone.success, "{clone:?}");
    for name in ["src/main.rs", "logo.png", "large", "many/2099", ".gitignore"] {
        let read = |at: &Path| std::fs::read(at.join(name)).expect(name);
        assert!(read(&place.path().join("pictures")) == read(&folder), "{name}");
    }
    let config = std::fs::read_to_string(place.path().join("pictures/.git/config"));
    let config = config.expect("git's configuration");
    assert!(config.contains(id) && !config.contains("uthorization"), "{config}");

    let said = refused(&place, "create --from absent").await;
    assert!(said.contains("absent is no folder"), "{said}");
    write(&folder, "too-large", &vec![b'x'; 50 * 1024 * 1024 + 1]);
    let said = refused(&place, "create --from project").await;
    assert!(said.contains("too-large") && said.contains(".gitignore"), "{said}");
    assert_eq!(source(&place, "ls").await.lines().count(), 2, "nothing was made");
    server.stop().await;
}

#[tokio::test]
async fn files_are_edited_and_looked_at_again() {
    let (place, server) = started().await;
    let id = source(&place, "create --name notes").await;
    write(place.path(), "local", b"one\ntwo\n");
    let first = source(&place, "edit notes --write a.txt=local --write local -m First").await;
    let moved = source(&place, "edit notes --mv local=b/c.txt --rm a.txt").await;
    assert_ne!(first, moved);
    let fed = ["source", "edit", "notes", "--write", "b/c.txt=-", "--expected-head", &moved];
    let fed = place.fed(&fed, "one\nthree\n").await;
    assert!(fed.success && fed.err.trim_end() == "b/c.txt", "{fed:?}");
    assert_eq!(source(&place, "cat notes b/c.txt").await, "one\nthree");
    assert_eq!(source(&place, &format!("cat notes a.txt --ref {first}")).await, "one\ntwo");

    let said = refused(&place, &format!("edit notes --rm b --expected-head {first}")).await;
    assert!(said.contains("head_mismatch"), "{said}");
    let said = refused(&place, "edit notes --rm absent").await;
    assert!(said.contains("not_found"), "{said}");
    assert!(refused(&place, "edit notes").await.contains("nothing to change"));
    assert!(refused(&place, "edit notes --write ../x=local").await.contains("no path"));

    let log = source(&place, "log notes -n 2").await;
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(source(&place, "log notes --path a.txt").await.contains("First"));
    let patch = source(&place, &format!("diff notes {moved}")).await;
    assert!(patch.contains("-two\n+three"), "{patch}");
    write(place.path(), "patch", format!("{patch}\n").replace("three", "four").as_bytes());
    source(&place, "branch create notes topic").await;
    let said = refused(&place, "edit notes --patch patch --branch topic").await;
    assert!(said.contains("conflict"), "{said}");
    source(&place, &format!("branch create notes older --from {moved}")).await;
    source(&place, "edit notes --patch patch --branch older").await;
    assert_eq!(source(&place, "cat notes b/c.txt --ref older").await, "one\nfour");
    let found = source(&place, "grep notes t.*e -E").await;
    assert_eq!(found, "b/c.txt:2:three");
    assert_eq!(source(&place, "grep notes THREE -i --path *.txt").await, found);

    source(&place, "edit notes --name journal").await;
    let shown = source(&place, "show journal").await;
    assert!(shown.contains(&id) && shown.contains(&format!("{id}.git")), "{shown}");
    let said = refused(&place, "show notes").await;
    assert!(said.contains("repoplane source ls"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn branches_join_archives_are_written_and_a_repo_is_deleted() {
    let (place, server) = started().await;
    write(place.path(), "f", b"content\n");
    let id = source(&place, "create").await;
    source(&place, &format!("edit {id} --write main/f=f")).await;
    source(&place, &format!("branch create {id} topic")).await;
    let topic = source(&place, &format!("edit {id} --write topic/f=f --branch topic")).await;
    let merged = source(&place, &format!("branch merge {id} topic")).await;
    assert_eq!(merged, topic, "fast forward");
    let table = source(&place, &format!("branch ls {id}")).await;
    assert!(table.contains("main") && table.contains("topic"), "{table}");
    source(&place, &format!("branch rm {id} topic")).await;
    assert!(refused(&place, &format!("branch rm {id} main")).await.contains("error: "));
    assert_eq!(source(&place, &format!("branch ls {id}")).await.lines().count(), 2);

    source(&place, &format!("archive {id} all.tar")).await;
    let tar = Command::new("tar").args(["-tf", "all.tar"]).current_dir(place.path()).output();
    let tar = String::from_utf8(tar.expect("tar").stdout).expect("UTF-8");
    assert!(tar.contains("main/f") && tar.contains("topic/f"), "{tar}");
    let said = refused(&place, &format!("archive {id} none/all.zip")).await;
    assert!(said.contains("none/all.zip"), "{said}");

    source(&place, &format!("clone {id} here --depth 1")).await;
    assert!(place.path().join("here/topic/f").is_file());
    let said = place.run(&["source", "clone", &id, "here"]).await;
    assert!(!said.success && said.err.contains("git ended"), "{said:?}");
    source(&place, &format!("rm {id}")).await;
    assert!(refused(&place, &format!("show {id}")).await.contains("not_found"));
    assert_eq!(
        source(&place, "ls --json").await.split_whitespace().collect::<String>(),
        r#"{"items":[],"total_items":0}"#
    );
    server.stop().await;
}

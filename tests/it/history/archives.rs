//! Archives against `git archive`, and names that would lead out of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use futures::TryStreamExt;
use repoplane_client::types::ArchiveFormat;

use super::stage::{Past, eventful};
use crate::support::Server;
use crate::support::repo::{Repo, answer};

async fn archive(repo: &Repo, at: &str, format: ArchiveFormat) -> Vec<u8> {
    let ask = repo.client.archive_source_repo().repo_id(repo.id).ref_(at).format(format);
    let chunks: Vec<_> = answer(ask.send().await)
        .expect("an archive")
        .into_inner()
        .try_collect()
        .await
        .expect("all");
    chunks.concat()
}

const FORMATS: [ArchiveFormat; 3] = [ArchiveFormat::Tar, ArchiveFormat::TarGz, ArchiveFormat::Zip];

/// What unpacking leaves: for each path what it is, and its content or target.
fn unpack(archive: &[u8], format: ArchiveFormat) -> BTreeMap<String, (String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (file, target) = (folder.path().join("archive"), folder.path().join("here"));
    std::fs::create_dir(&target).expect("a folder");
    std::fs::write(&file, archive).expect("a file");
    let mut command = match format {
        ArchiveFormat::Zip => {
            let mut command = Command::new("python3");
            command.args(["-c", UNZIP]).arg(&file).arg(&target);
            command
        }
        ArchiveFormat::Tar | ArchiveFormat::TarGz => {
            let mut command = Command::new("tar");
            command.arg("-xf").arg(&file).arg("-C").arg(&target);
            command
        }
    };
    let output = command.output().expect("a program that unpacks");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let beside: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(beside.len(), 2, "nothing is unpacked outside");
    let mut found = BTreeMap::new();
    collect(&target, "", &mut found);
    found
}

/// Python's own `extractall` knows neither symlinks nor permissions.
const UNZIP: &str = "
import os, sys, zipfile
archive, target = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
assert archive.testzip() is None
for entry in archive.infolist():
    mode, path = entry.external_attr >> 16, os.path.join(target, entry.filename)
    assert os.path.realpath(os.path.dirname(path)).startswith(os.path.realpath(target))
    if entry.is_dir():
        os.makedirs(path, exist_ok=True)
        continue
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if mode & 0o170000 == 0o120000:
        os.symlink(archive.read(entry), path)
    else:
        open(path, 'wb').write(archive.read(entry))
        os.chmod(path, mode & 0o777)
";

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, (String, Vec<u8>)>) {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().expect("a kind");
        let path = entry.path();
        if kind.is_symlink() {
            let target = std::fs::read_link(path).expect("a target");
            found.insert(name, ("link".to_owned(), target.as_os_str().as_bytes().to_vec()));
        } else if kind.is_dir() {
            let inside = std::fs::read_dir(&path).expect("a folder").count();
            if inside == 0 {
                found.insert(name, ("empty".to_owned(), Vec::new()));
            } else {
                collect(&path, &format!("{name}/"), found);
            }
        } else {
            let mode = std::fs::metadata(&path).expect("metadata").permissions().mode() & 0o100;
            let kind = if mode == 0 { "file" } else { "program" };
            found.insert(name, (kind.to_owned(), std::fs::read(path).expect("a file")));
        }
    }
}

#[tokio::test]
async fn archives_hold_what_those_of_git_hold() {
    let server = Server::start().await;
    let past = eventful();
    let long = format!("{}/{}", ["a-long-folder-name"; 12].join("/"), "x".repeat(200));
    past.write(&long, "deep\n");
    past.write("large", vec![b'x'; 3_000_000]);
    past.git(&["add", "--all"]);
    past.git(&["commit", "--quiet", "-m", "Long names"]);
    let repo = past.on(&server).await;
    for at in ["main", "v1", "side/line"] {
        let git = past.run(&["archive", "--format=tar", at], b"");
        let expected = unpack(&git, ArchiveFormat::Tar);
        assert!(expected.len() > 5);
        for format in FORMATS {
            let first = archive(&repo, at, format).await;
            assert_eq!(unpack(&first, format), expected, "{at} {format}");
            assert_eq!(archive(&repo, at, format).await, first, "equal each time");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_archive_has_a_name_and_an_empty_repo_an_empty_one() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    for format in FORMATS {
        assert!(unpack(&archive(&repo, "main", format).await, format).is_empty());
    }
    let head = repo.head().await;
    let url = format!("{}/v1/repo/{}/archive?format=zip", server.url(), repo.id);
    let http = repoplane_client::reqwest::Client::new();
    let answer = http.get(&url).bearer_auth(crate::support::OWNER_TOKEN).send().await;
    let answer = answer.expect("an answer");
    let named = answer.headers()["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(named, format!("attachment; filename=\"{}-{}.zip\"", repo.id, &head[..12]));
    for (query, status) in [("format=rar", 422), ("ref=nobody", 404), ("ref=main", 200)] {
        let get = http.get(format!("{url}&{query}").replace("zip&format", "zip&x=&format"));
        let get = if query.starts_with("format") {
            http.get(format!("{}/v1/repo/{}/archive?{query}", server.url(), repo.id))
        } else {
            get
        };
        let answer = get.bearer_auth(crate::support::OWNER_TOKEN).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{query}");
    }
    server.stop().await;
}

/// Single names that would lead somewhere else on some system, for every place in a path.
fn hostile_names() -> Vec<Vec<u8>> {
    let bare = [
        "..",
        ".",
        ".git",
        ".GIT",
        ".Git",
        "git~1",
        "GIT~1",
        ".git ",
        ".git.",
        ".git . .",
        ".g\u{200c}it",
        ".gi\u{200d}t",
        "\u{feff}.git",
        ".git::$INDEX_ALLOCATION",
        "..\\x",
        "\\",
        "\\x",
        "C:\\x",
        "\\\\host\\share",
        "a\\..\\..\\b",
        "..\\..\\etc\\passwd",
        ".git\\config",
        "x\\",
        "\\..",
    ];
    let mut names: Vec<Vec<u8>> = bare.iter().map(|name| name.as_bytes().to_vec()).collect();
    for n in 1..=9 {
        names.push([b"..\\".repeat(n), b"x".to_vec()].concat());
        names.push(format!("git~{n}\\x").into_bytes());
    }
    names
}

/// A tree object, made byte by byte, since git refuses to.
fn tree(past: &Past, mode: &str, names: &[Vec<u8>], id: &str) -> String {
    let id: Vec<u8> = (0..20)
        .map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect();
    let entry = |name: &Vec<u8>| [mode.as_bytes(), b" ", name, b"\0", &id].concat();
    let entries: Vec<u8> = names.iter().flat_map(entry).collect();
    past.git_fed(&["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], &entries)
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder_an_archive_is_unpacked_in() {
    let server = Server::start().await;
    let past = Past::begin();
    let names = hostile_names();
    let blob = past.git_fed(&["hash-object", "-w", "--stdin"], b"evil\n");
    let kept = tree(&past, "100644", &[b"kept".to_vec()], &blob);
    // As files, as symlinks, as directories, and below one.
    let inner = tree(&past, "100644", &names, &blob);
    let folders = tree(&past, "40000", &names, &kept);
    let roots = [
        inner.clone(),
        tree(&past, "120000", &names, &blob),
        folders.clone(),
        tree(&past, "40000", &[b"a".to_vec()], &inner),
        tree(&past, "40000", &[b"a".to_vec()], &folders),
    ];
    assert!(roots.len() * names.len() >= 200, "{}", roots.len() * names.len());
    let commits = roots.map(|root| past.git(&["commit-tree", "-m", "Hostile", &root]));
    for (at, commit) in commits.iter().enumerate() {
        past.git(&["update-ref", &format!("refs/heads/h{at}"), commit]);
    }
    past.git(&["update-ref", "refs/heads/main", &commits[0]]);
    let repo = Repo::create(&server.owner(), &[]).await;
    past.bring(&server, &repo).await;
    for commit in &commits {
        for format in FORMATS {
            let found = unpack(&archive(&repo, commit, format).await, format);
            assert!(found.is_empty(), "{commit} {format}: {found:?}");
        }
    }
    // They would not pass git's own check, so the repo is not left for it.
    repo.delete().await.expect("deleted");
    drop(server);
}

#[tokio::test]
async fn a_reader_that_goes_away_frees_its_place() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    repo.put("large", noise(8 * 1024 * 1024)).await.expect("written");
    let read_a_little = async || {
        let ask = repo.client.archive_source_repo().repo_id(repo.id).format(ArchiveFormat::Tar);
        let mut bytes = ask.send().await.ok()?.into_inner();
        bytes.try_next().await.expect("bytes")
    };
    // More than are made at a time, each left after its first bytes.
    let all = async {
        for _ in 0..40 {
            // The places of those that left are free soon, not at once.
            while read_a_little().await.is_none() {}
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, all).await.expect("places become free");
    server.stop().await;
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

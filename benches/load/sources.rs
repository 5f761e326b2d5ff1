//! Source repos to measure with: made-up files, and those of a real tree.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Connection, request};

/// Files of one request while a repo is filled.
const FILL_FILES: usize = 500;

/// Files in directories three deep, five to a directory.
pub fn made_up(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|n| {
            let path = format!("src/m{}/d{}/f{n}.rs", n / 500, n / 5 % 100);
            (path, format!("// file {n}\n").repeat(200))
        })
        .collect()
}

/// A real tree: the folder named on the command line, or the sources of the dependencies.
pub fn checkout(most: usize) -> Vec<(String, String)> {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let root = named.map_or_else(dependencies, PathBuf::from);
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("entry").path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_symlink() || name.starts_with(".git") || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if files.len() < most
                && let Some(text) = super::read_file(&path)
            {
                let name = path.strip_prefix(&root).expect("below the root").display().to_string();
                files.push((name, text));
            }
        }
    }
    files
}

fn dependencies() -> PathBuf {
    let home = std::env::var("CARGO_HOME").map_or_else(
        |_| PathBuf::from(std::env::var("HOME").expect("HOME")).join(".cargo"),
        PathBuf::from,
    );
    let sources = std::fs::read_dir(home.join("registry/src")).expect("cargo's sources");
    let mut folders =
        sources.map(|entry| entry.expect("entry").path()).filter(|path| path.is_dir());
    folders.next().expect("one registry")
}

pub async fn fill(connection: &mut Connection, files: &[(String, String)]) -> String {
    let id = id_of(connection.send(&request("POST", "/v1/repo", "{}")).await, 201);
    let path = format!("/v1/repo/{id}/update");
    for part in files.chunks(FILL_FILES) {
        let operations: Vec<Value> = part.iter().map(|(name, text)| write(name, text)).collect();
        let body = json!({"source": {"type": "diff", "operations": operations}}).to_string();
        id_of(connection.send(&request("POST", &path, &body)).await, 200);
    }
    id
}

pub fn id_of((status, body): (u16, &[u8]), expected: u16) -> String {
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(body));
    let answer: Value = serde_json::from_slice(body).expect("JSON");
    answer["repo_id"].as_str().expect("an id").to_owned()
}

pub fn write(name: &str, text: &str) -> Value {
    json!({"type": "write", "filename": name, "content": text})
}

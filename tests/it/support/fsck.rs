//! Real git's opinion of what is on disk.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Clones every repository in the cache below `folder`, and checks the clones strictly.
pub fn check_all(folder: &Path) {
    for repo in repositories(&folder.join("cache")) {
        let clone = tempfile::tempdir().expect("temporary folder");
        let target = clone.path().join("clone.git");
        git(&["clone", "--quiet", "--bare", "--no-local", text(&repo), text(&target)]);
        git(&["-C", text(&target), "fsck", "--strict", "--full", "--no-dangling"]);
    }
}

/// Runs git with a clean configuration; panics with its words if it fails.
pub fn git(arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn repositories(cache: &Path) -> Vec<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).expect("cache folder");
        entries.map(|entry| entry.expect("entry").path()).filter(|path| path.is_dir()).collect()
    };
    folders(cache).iter().flat_map(|shelf| folders(shelf)).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

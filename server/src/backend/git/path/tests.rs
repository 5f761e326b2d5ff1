//! Names that no clone may receive, and lookalikes that are fine.

use super::*;
use crate::model::file_path::{COMPONENT_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX};

fn accepted(path: &str) -> bool {
    FilePath::new(path).is_ok_and(|path| check(&path).is_ok())
}

#[test]
fn dangerous_names_are_refused() {
    let dangerous = [
        "",
        "/",
        "/abs",
        "a//b",
        "a/",
        "./a",
        "a/.",
        "..",
        "a/../b",
        ".git",
        ".git/config",
        "a/.GIT/hooks/x",
        "git~1",
        "GIT~1/x",
        ".g\u{200c}it/config",
        ".git ",
        ".git.",
        ".git::$INDEX_ALLOCATION",
        "a\0b",
        "a\nb",
        "a\\.git\\b",
        "a\\b",
    ];
    for path in dangerous {
        assert!(!accepted(path), "{path:?}");
    }
}

#[test]
fn unusual_but_legal_names_pass() {
    for path in [
        ".gitignore",
        ".github/x",
        ".gitmodules",
        "git",
        "aux.rs",
        "CON",
        "a:b",
        "ü",
        "a b",
        "...",
        "-x",
        "a~1",
    ] {
        assert!(accepted(path), "{path:?}");
    }
}

#[test]
fn lengths_and_depth_are_bounded() {
    let component = |n| "x".repeat(n);
    let deep = |n| vec!["d"; n].join("/");
    assert!(
        accepted(&component(COMPONENT_BYTES_MAX)) && !accepted(&component(COMPONENT_BYTES_MAX + 1))
    );
    assert!(accepted(&deep(PATH_DEPTH_MAX)) && !accepted(&deep(PATH_DEPTH_MAX + 1)));
    let path = vec![component(127); PATH_BYTES_MAX / 128].join("/");
    assert!(accepted(&path) && !accepted(&format!("{path}/x")));
}

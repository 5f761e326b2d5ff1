//! A repository-relative file path whose shape has been checked; it must never be taken for a
//! path on the server's disk.
//!
//! Shape only: length, depth, no empty component. Which names git may store is decided in
//! `backend::git::path`, and only for names that an edit brings into being: whatever a push left
//! in a repo must stay deletable.

use std::fmt;

/// Longest name between two slashes, in bytes: what common file systems can check out.
pub const COMPONENT_BYTES_MAX: usize = 255;
/// Longest whole path, in bytes (PATH_MAX).
pub const PATH_BYTES_MAX: usize = 4096;
/// Most components in a path. Bounds every recursion over the directories of a path.
pub const PATH_DEPTH_MAX: usize = 100;

/// How much of a refused path an error repeats, in characters.
const SHOWN_CHARS: usize = 120;

/// `src/main.rs`: relative, `/` between components, none of them empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    pub fn new(path: impl Into<String>) -> Result<Self, PathError> {
        let path = path.into();
        match shape_fault(&path) {
            Some(reason) => Err(PathError::new(&path, reason)),
            None => Ok(Self(path)),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn shape_fault(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("it is empty; give a path relative to the repository's root".into());
    }
    if path.len() > PATH_BYTES_MAX {
        return Some(format!("it is longer than {PATH_BYTES_MAX} bytes"));
    }
    if path.starts_with('/') {
        return Some("it is absolute; leave out the leading slash".into());
    }
    if path.split('/').any(str::is_empty) {
        return Some("it has an empty component; use single slashes, and none at the end".into());
    }
    if path.split('/').any(|name| name.len() > COMPONENT_BYTES_MAX) {
        return Some(format!("a component is longer than {COMPONENT_BYTES_MAX} bytes"));
    }
    if path.split('/').count() > PATH_DEPTH_MAX {
        return Some(format!("it is more than {PATH_DEPTH_MAX} directories deep"));
    }
    None
}

/// A path that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The path as given, shortened when it is very long.
    pub path: String,
    /// Completes the sentence "the path cannot be used: ...".
    pub reason: String,
}

impl PathError {
    pub fn new(path: &str, reason: impl Into<String>) -> Self {
        let mut shown: String = path.chars().take(SHOWN_CHARS).collect();
        if shown.len() < path.len() {
            shown.push('…');
        }
        Self { path: shown, reason: reason.into() }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "path `{}` cannot be used: {}", self.path, self.reason)
    }
}

impl std::error::Error for PathError {}

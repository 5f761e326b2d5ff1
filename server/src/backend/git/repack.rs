//! Puts all that a cache holds into one pack, with deltas, by way of git.

use std::path::PathBuf;

use super::cache::Cache;
use super::objects::ObjectError;
use super::program::git;

/// Memory that git may use to look for deltas, in bytes.
const WINDOW_MEMORY: &str = "64m";

/// Repacks the cache and returns where the one pack is that is left.
pub fn repack(cache: &Cache) -> Result<PathBuf, ObjectError> {
    let head = cache.head()?.ok_or_else(|| ObjectError::broken("HEAD", "no commit yet"))?;
    let dir = cache.flushed_dir()?;
    let window = format!("pack.windowMemory={WINDOW_MEMORY}");
    let output = git()
        // What edits bring meanwhile is not reachable on disk yet, and has to stay.
        .args(["-c", &window, "repack", "-a", "-d", "-q", "--keep-unreachable"])
        // With it, clones need not walk every tree to know what to send.
        .arg("--write-bitmap-index")
        .current_dir(dir)
        .spawn()?
        .wait_with_output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ObjectError::PackRefused(text));
    }
    // Edits that came meanwhile may have added packs, but none with what was there before.
    let none = || ObjectError::PackRefused(format!("git repack left no pack with {head}"));
    cache.pack_with(&head)?.ok_or_else(none)
}

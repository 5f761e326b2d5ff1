//! Other people's programs that tests run with, as `.ci/peers` and `.ci/peers-ui` install them.

use std::path::{Path, PathBuf};

/// Where they are installed, unless `TEST_PEERS_DIR` says otherwise.
const INSTALLED: &str = "target/ci/peers";

pub fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(std::env::var("TEST_PEERS_DIR").unwrap_or_else(|_| INSTALLED.to_owned()))
}

/// Whether all of this is there: paths in [`folder`], or elsewhere if absolute. CI has it; a test may
/// be left out where somebody has not installed it.
pub fn installed(paths: &[&str]) -> bool {
    let Some(missing) = paths.iter().map(|path| folder().join(path)).find(|path| !path.exists())
    else {
        return true;
    };
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let required = is("CI", "true") || is("TEST_PEERS", "required");
    assert!(!required, "{} is missing; run: .ci/run peers", missing.display());
    println!("left out: {} is missing; run: .ci/run peers", missing.display());
    false
}

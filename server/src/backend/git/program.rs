//! Runs git, so that it obeys nothing but its arguments.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Where git is. What is not looked up by name is begun without a copy of this process's memory map,
/// which takes the longer the more memory there is.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join("git"));
    places.find(|place| place.is_file()).unwrap_or_else(|| "git".into())
});

pub fn git() -> Command {
    let mut git = Command::new(&*PROGRAM);
    git.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    git.envs([
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("HOME", "/nonexistent"),
    ]);
    git.args(["-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "pack.threads=1"]);
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    git
}

//! Where programs are. What is begun by a path and not by a name needs no copy of the memory map of
//! these tests, whatever its environment; with hundreds of megabytes that takes the most of a short life.

use std::path::PathBuf;

pub fn program(name: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join(name));
    places.find(|place| place.is_file()).unwrap_or_else(|| name.into())
}

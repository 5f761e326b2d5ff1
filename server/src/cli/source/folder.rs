//! The files of a folder, for a source repo: what git would leave out by its .gitignore files stays out.
//! Holds no more of them in memory than one request sends.

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ignore::WalkBuilder;
use repoplane_client::types::{FileEncoding, FileMode, FilePath, FileWrite};

/// Bytes of files that go out in one request; it has less than twice as many.
const BATCH_BYTES: u64 = 16 * 1024 * 1024;
/// Files that go out in one request.
const BATCH_FILES: usize = 2_000;
/// A file from this size on goes out alone, byte for byte.
const ALONE_BYTES: u64 = 8 * 1024 * 1024;
/// Largest file that the API takes, in bytes.
const FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Who may run a file, in its permissions.
const RUNNABLE: u32 = 0o111;

pub struct Folder {
    /// Those that go out together.
    together: VecDeque<File>,
    alone: VecDeque<File>,
    pub bytes: u64,
    pub count: usize,
}

pub struct File {
    pub path: FilePath,
    pub at: PathBuf,
    pub bytes: u64,
    pub mode: Option<FileMode>,
}

impl Folder {
    /// Looks for the files, and reads none of them.
    pub fn look(folder: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(folder.is_dir(), "{} is no folder", folder.display());
        let mut found =
            Self { together: VecDeque::new(), alone: VecDeque::new(), bytes: 0, count: 0 };
        let mut walk = WalkBuilder::new(folder);
        walk.hidden(false).ignore(false).git_global(false).require_git(false).follow_links(false);
        walk.filter_entry(|entry| entry.file_name() != ".git").sort_by_file_path(|a, b| a.cmp(b));
        for entry in walk.build() {
            let entry = entry?;
            if entry.depth() == 0 {
                continue;
            }
            let kind = entry.file_type().context("a walk has no standard input")?;
            if kind.is_symlink() {
                eprintln!("Left out {}: a symlink; git can push it.", entry.path().display());
            } else if kind.is_file() {
                let about = entry.metadata()?;
                let path = entry.path().strip_prefix(folder)?;
                found.add(path_of(path)?, entry.path(), &about)?;
            }
        }
        Ok(found)
    }

    fn add(&mut self, path: FilePath, at: &Path, about: &std::fs::Metadata) -> anyhow::Result<()> {
        let bytes = about.len();
        anyhow::ensure!(
            bytes <= FILE_BYTES_MAX,
            "{} has {bytes} bytes, and a file has at most {FILE_BYTES_MAX} here; list it in \
             .gitignore, or push it with git",
            at.display()
        );
        self.bytes += bytes;
        self.count += 1;
        let file = File { path, at: at.to_owned(), bytes, mode: mode_of(about) };
        if bytes < ALONE_BYTES { &mut self.together } else { &mut self.alone }.push_back(file);
        Ok(())
    }

    /// The files of the next request; none when all have gone.
    pub fn batch(&mut self) -> anyhow::Result<Vec<FileWrite>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(file) = self.together.front()
            && batch.len() < BATCH_FILES
            && (batch.is_empty() || bytes + file.bytes <= BATCH_BYTES)
        {
            bytes += file.bytes;
            let content = read(&file.at)?;
            let (content, encoding) = encode(content);
            let filename = file.path.clone();
            batch.push(FileWrite { filename, content, encoding, mode: file.mode });
            self.together.pop_front();
        }
        Ok(batch)
    }

    /// The next of those that go out alone.
    pub fn next_alone(&mut self) -> Option<File> {
        self.alone.pop_front()
    }
}

pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// How JSON can hold it; text with many control characters would grow sixfold.
pub fn encode(content: Vec<u8>) -> (String, Option<FileEncoding>) {
    let controls = content.iter().filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace());
    if controls.count() * 16 > content.len() {
        return (STANDARD.encode(content), Some(FileEncoding::Base64));
    }
    match String::from_utf8(content) {
        Ok(text) => (text, None),
        Err(binary) => (STANDARD.encode(binary.as_bytes()), Some(FileEncoding::Base64)),
    }
}

/// Nothing where the default is right.
pub fn mode_of(about: &std::fs::Metadata) -> Option<FileMode> {
    (about.permissions().mode() & RUNNABLE != 0).then_some(FileMode::X100755)
}

fn path_of(path: &Path) -> anyhow::Result<FilePath> {
    let text = path.to_str().with_context(|| format!("the name {path:?} is not UTF-8"))?;
    text.parse().map_err(|_| anyhow::anyhow!("{text:?} is no path that a source repo can have"))
}

//! What edits mean, said a second time and as plainly as possible: a map from path to file, and
//! no git.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub content: String,
    pub executable: bool,
}

pub type Files = BTreeMap<String, File>;

#[derive(Clone, Debug)]
pub struct Write {
    pub path: String,
    pub content: String,
    /// Absent: as it was.
    pub executable: Option<bool>,
}

#[derive(Clone, Debug)]
pub enum Op {
    Write(Write),
    Delete(String),
    Rename(String, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 404
    NotFound,
    /// 409
    Conflict,
    /// 422
    Directory,
}

/// The files afterwards, and `changed_files`.
pub type Verdict = Result<(Files, Vec<String>), Refusal>;

pub fn operations(before: &Files, ops: &[Op]) -> Verdict {
    let mut files = before.clone();
    let deletes: BTreeSet<&String> = ops
        .iter()
        .filter_map(|op| match op {
            Op::Delete(path) => Some(path),
            _ => None,
        })
        .collect();
    let writes: BTreeMap<&String, &Write> = ops
        .iter()
        .filter_map(|op| match op {
            Op::Write(w) => Some((&w.path, w)),
            _ => None,
        })
        .collect();
    let renames: BTreeMap<&String, &String> = ops
        .iter()
        .filter_map(|op| match op {
            Op::Rename(a, b) => Some((a, b)),
            _ => None,
        })
        .collect();

    if deletes.iter().any(|path| below(before, path).is_empty()) {
        return Err(Refusal::NotFound);
    }
    files.retain(|path, _| !deletes.iter().any(|gone| is_at_or_below(path, gone)));
    for write in writes.values() {
        put(&mut files, write)?;
    }
    let mut moved = BTreeMap::new();
    for (from, to) in &renames {
        let Some(file) = files.get(*from) else {
            let nothing = below(&files, from).is_empty();
            return Err(if nothing { Refusal::NotFound } else { Refusal::Directory });
        };
        if moved.insert(*to, file.clone()).is_some() {
            return Err(Refusal::Conflict);
        }
    }
    files.retain(|path, _| !renames.contains_key(path));
    for (to, file) in moved {
        room_for(&files, to)?;
        files.insert(to.clone(), file);
    }

    let differs = |path: &String| before.get(path) != files.get(path);
    let mut changed = Vec::new();
    for op in ops {
        match op {
            Op::Write(write) => changed.extend(Some(write.path.clone()).filter(differs)),
            Op::Delete(path) => {
                changed.extend(below(before, path).into_iter().filter(|path| differs(path)))
            }
            Op::Rename(from, to) if renames[from] == to => {
                changed.extend(Some(to.clone()).filter(|to| differs(from) || differs(to)));
            }
            Op::Rename(..) => {}
        }
    }
    Ok((files.clone(), without_repetition(changed)))
}

pub fn replacement(before: &Files, writes: &[Write]) -> Verdict {
    let last: BTreeMap<&String, &Write> = writes.iter().map(|write| (&write.path, write)).collect();
    let mut files = before.clone();
    files.retain(|path, _| last.contains_key(path));
    for write in last.values() {
        put(&mut files, write)?;
    }
    let written = writes
        .iter()
        .map(|write| write.path.clone())
        .filter(|path| before.get(path) != files.get(path));
    let removed = before.keys().filter(|path| !files.contains_key(*path)).cloned();
    let changed = without_repetition(written.chain(removed).collect());
    Ok((files, changed))
}

fn put(files: &mut Files, write: &Write) -> Result<(), Refusal> {
    room_for(files, &write.path)?;
    let before = files.get(&write.path).is_some_and(|file| file.executable);
    let executable = write.executable.unwrap_or(before);
    files.insert(write.path.clone(), File { content: write.content.clone(), executable });
    Ok(())
}

/// No file may be where `path` needs a directory, and no directory where it goes.
fn room_for(files: &Files, path: &str) -> Result<(), Refusal> {
    let clash = files
        .keys()
        .any(|other| other != path && (is_at_or_below(other, path) || is_at_or_below(path, other)));
    if clash { Err(Refusal::Conflict) } else { Ok(()) }
}

fn below(files: &Files, path: &str) -> Vec<String> {
    files.keys().filter(|other| is_at_or_below(other, path)).cloned().collect()
}

fn is_at_or_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn without_repetition(paths: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    paths.into_iter().filter(|path| seen.insert(path.clone())).collect()
}

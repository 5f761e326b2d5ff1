//! Looks for a pattern in the files of a tree, on all cores and in a bounded time; it must never
//! look into a symlink or a submodule.

use std::ops::Range;
use std::time::Instant;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::glob::wildmatch;
use gix::glob::wildmatch::Mode;
use regex::bytes::{Regex, RegexBuilder};

use super::blobs::Blobs;
use super::diff::is_binary;
use super::objects::{ObjectError, ObjectSource};
use super::walk::Walk;
use crate::model::history::GrepMatch;
use crate::model::id::SourceRepoId;

/// Memory that one compiled pattern may take, in bytes.
const PATTERN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Files that are looked into before it is seen whether there is enough.
const WINDOW_FILES: usize = 1_024;
/// Most threads for one search.
const THREADS_MAX: usize = 4;
/// Longest line that is answered whole, in bytes.
const LINE_BYTES_MAX: usize = 1_000;
/// Of a longer one, how much is shown before the match, in bytes.
const LEAD_BYTES: usize = 100;

/// What to look for.
pub struct Pattern {
    regex: Regex,
    glob: Option<Glob>,
}

/// Which files are meant. A glob without a slash is for names, wherever they are.
pub struct Glob(BString);

impl Glob {
    pub fn new(glob: &str) -> Self {
        Self(glob.into())
    }

    pub fn fits(&self, path: &BStr) -> bool {
        let name = path.rfind_byte(b'/').map_or(path, |slash| path[slash + 1..].as_bstr());
        let text = if self.0.contains(&b'/') { path } else { name };
        wildmatch(self.0.as_bstr(), text, Mode::NO_MATCH_SLASH_LITERAL)
    }
}

/// Where to go on: the file by its number among those looked into, and behind which line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub file: usize,
    pub line: u64,
}

/// When a search ends.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    pub matches: usize,
    pub deadline: Instant,
}

impl Pattern {
    /// Fails with words about the pattern.
    pub fn new(
        pattern: &str,
        is_regex: bool,
        ignore_case: bool,
        glob: Option<&str>,
    ) -> Result<Self, String> {
        let escaped = if is_regex { pattern.to_owned() } else { regex::escape(pattern) };
        let regex = RegexBuilder::new(&escaped)
            .multi_line(true)
            .case_insensitive(ignore_case)
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { regex, glob: glob.map(Glob::new) })
    }

    fn wants(&self, path: &BStr) -> bool {
        self.glob.as_ref().is_none_or(|glob| glob.fits(path))
    }

    /// The lines of a file that match, behind a line, and whether there may be more.
    fn search(&self, path: &BStr, content: &[u8], behind: u64, most: usize) -> Vec<GrepMatch> {
        let mut found: Vec<GrepMatch> = Vec::new();
        let (mut at, mut counted, mut line) = (0, 0, 1);
        while let Some(hit) = self.regex.find_at(content, at) {
            if hit.start() == content.len() && content.last().is_none_or(|byte| *byte == b'\n') {
                break;
            }
            line += content[counted..hit.start()].find_iter("\n").count() as u64;
            counted = hit.start();
            let bounds = line_around(content, hit.start());
            if line > behind {
                found.push(GrepMatch {
                    path: path.to_string(),
                    line,
                    column: (hit.start() - bounds.start + 1) as u64,
                    text: shown(&content[bounds.clone()], hit.start() - bounds.start),
                });
            }
            at = bounds.end + 1;
            if found.len() == most || at > content.len() {
                break;
            }
        }
        found
    }
}

/// The line that a byte is in, without its end.
fn line_around(content: &[u8], at: usize) -> Range<usize> {
    let start = content[..at].rfind_byte(b'\n').map_or(0, |end| end + 1);
    let end = content[at..].find_byte(b'\n').map_or(content.len(), |end| at + end);
    start..end
}

fn shown(line: &[u8], hit: usize) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() <= LINE_BYTES_MAX {
        return line.to_str_lossy().into_owned();
    }
    let start = if hit < LINE_BYTES_MAX - LEAD_BYTES { 0 } else { hit - LEAD_BYTES };
    let end = line.len().min(start + LINE_BYTES_MAX);
    line[start.min(end)..end].to_str_lossy().into_owned()
}

type File = (BString, ObjectId);

/// Searches the files of a tree in path order. The matches, and where to go on if it is not done.
pub fn grep(
    (repo, blobs): (SourceRepoId, &Blobs),
    source: &(dyn ObjectSource + Sync),
    root: ObjectId,
    pattern: &Pattern,
    from: Place,
    until: Until,
) -> Result<(Vec<GrepMatch>, Option<Place>), ObjectError> {
    let mut files: Vec<File> = Vec::new();
    for leaf in Walk::new(source, root, BString::default())? {
        let (path, entry) = leaf?;
        if entry.file_mode().is_some() && pattern.wants(path.as_bstr()) {
            files.push((path, entry.id));
        }
    }
    let look = |index: usize, most: usize| {
        let (path, id) = &files[index];
        let content = blobs.read(repo, source, id)?;
        if is_binary(&content) {
            return Ok(Vec::new());
        }
        let behind = if index == from.file { from.line } else { 0 };
        Ok::<_, ObjectError>(pattern.search(path.as_bstr(), &content, behind, most))
    };
    let mut matches: Vec<GrepMatch> = Vec::new();
    let mut next = from.file;
    while next < files.len() {
        let window = next..files.len().min(next + WINDOW_FILES);
        for (index, found) in side_by_side(window, until, &look)? {
            let left = until.matches - matches.len();
            if found.len() > left {
                let taken = found.into_iter().take(left);
                let before = matches.len();
                matches.extend(taken);
                let line = matches[before..].last().map_or(0, |last| last.line);
                return Ok((matches, Some(Place { file: index, line })));
            }
            matches.extend(found);
            next = index + 1;
        }
        if Instant::now() > until.deadline {
            break;
        }
    }
    Ok((matches, (next < files.len()).then_some(Place { file: next, line: 0 })))
}

/// Looks into files on several threads; those looked into, in order and without a gap, at least
/// one.
fn side_by_side(
    window: Range<usize>,
    until: Until,
    look: &(dyn Fn(usize, usize) -> Result<Vec<GrepMatch>, ObjectError> + Sync),
) -> Result<Vec<(usize, Vec<GrepMatch>)>, ObjectError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let share = window.len().div_ceil(threads).max(1);
    let work = |part: Range<usize>| {
        let (mut done, mut matches) = (Vec::new(), 0);
        for index in part.clone() {
            let late = Instant::now() > until.deadline && index > window.start;
            if late || matches > until.matches {
                return Ok((done, false));
            }
            let found = look(index, until.matches + 1)?;
            matches += found.len();
            done.push((index, found));
        }
        Ok::<_, ObjectError>((done, true))
    };
    let parts: Vec<_> =
        window.clone().step_by(share).map(|start| start..window.end.min(start + share)).collect();
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = parts.into_iter().map(|part| scope.spawn(|| work(part))).collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    let mut all = Vec::new();
    for result in results {
        let (done, complete) =
            result.map_err(|_| ObjectError::broken("search", "a thread panicked"))??;
        all.extend(done);
        if !complete {
            break;
        }
    }
    Ok(all)
}

//! Unified diffs as `git diff` and `diff -u` write them: read from text, and applied to a file's
//! content, exactly or not at all.

use std::fmt;

use super::edit::FileMode;
use super::file_path::FilePath;

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePatch {
    pub target: Target,
    /// As it was, if absent.
    pub mode: Option<FileMode>,
    hunks: Vec<Hunk>,
}

/// What becomes of a file, beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Create(FilePath),
    Change(FilePath),
    Delete(FilePath),
    Move { from: FilePath, to: FilePath },
    Copy { from: FilePath, to: FilePath },
}

impl Target {
    /// The new path; of a deleted file, the one it had.
    pub fn path(&self) -> &FilePath {
        match self {
            Self::Create(path) | Self::Change(path) | Self::Delete(path) => path,
            Self::Move { to, .. } | Self::Copy { to, .. } => to,
        }
    }

    /// The paths that are changed.
    pub fn paths(&self) -> Vec<&FilePath> {
        match self {
            Self::Move { from, to } => vec![from, to],
            other => vec![other.path()],
        }
    }
}

/// What has been read of a file so far.
#[derive(Default)]
struct Names {
    /// Where the file is; nowhere if it is made.
    old: Option<FilePath>,
    /// Where it is afterwards; nowhere if it is deleted.
    new: Option<FilePath>,
    /// Whether the old one stays.
    copy: bool,
    mode: Option<FileMode>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hunk {
    /// Lines of the old file before it.
    before: usize,
    /// Lines with their ends, in the order of the patch.
    lines: Vec<(Side, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Both,
    Old,
    New,
}

/// A text that is no patch, or one that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    /// Counted from 1.
    pub line: usize,
    pub reason: String,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the patch: {}", self.line, self.reason)
    }
}

/// Reads a patch of any number of files; what stands before and between them is passed over.
pub fn parse(text: &str) -> Result<Vec<FilePatch>, PatchError> {
    let mut reader = Reader { lines: text.split_inclusive('\n').collect(), at: 0 };
    let mut files = Vec::new();
    while let Some(line) = reader.peek() {
        if line.starts_with("diff --git ") || reader.is_at_names() {
            files.push(reader.file()?);
        } else if line.starts_with("@@ -") {
            return Err(reader.fault("a hunk comes before the name of its file"));
        } else {
            reader.at += 1;
        }
    }
    match files.is_empty() {
        true => Err(reader.fault("there is no file in it; send what `git diff` writes")),
        false => Ok(files),
    }
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next line, without its end.
    fn peek(&self) -> Option<&'a str> {
        let line = self.lines.get(self.at)?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    fn fault(&self, reason: impl Into<String>) -> PatchError {
        PatchError { line: self.at + 1, reason: reason.into() }
    }

    fn is_at_names(&self) -> bool {
        let begins = |at: usize, with| self.lines.get(at).is_some_and(|l| l.starts_with(with));
        begins(self.at, "--- ") && begins(self.at + 1, "+++ ")
    }

    fn file(&mut self) -> Result<FilePatch, PatchError> {
        let (mut file, mut hunks) = (Names::default(), Vec::new());
        if let Some(names) = self.peek().and_then(|line| line.strip_prefix("diff --git ")) {
            self.header(names, &mut file)?;
        }
        if self.is_at_names() {
            file.old = self.name("--- ", "a/")?;
            file.new = self.name("+++ ", "b/")?;
        }
        while self.peek().is_some_and(|line| line.starts_with("@@ -")) {
            hunks.push(self.hunk()?);
        }
        let target = match (file.old, file.new) {
            (None, None) => return Err(self.fault("a file has no name")),
            (None, Some(new)) => Target::Create(new),
            (Some(old), None) => Target::Delete(old),
            (Some(from), Some(to)) if file.copy => Target::Copy { from, to },
            (Some(from), Some(to)) if from != to => Target::Move { from, to },
            (Some(_), Some(path)) => Target::Change(path),
        };
        Ok(FilePatch { target, mode: file.mode, hunks })
    }

    /// What git says between the first line about a file and its hunks.
    fn header(&mut self, names: &str, file: &mut Names) -> Result<(), PatchError> {
        let (mut made, mut gone) = (false, false);
        let mut renamed = None;
        self.at += 1;
        while let Some(line) = self.peek() {
            let word = |prefix| line.strip_prefix(prefix);
            if let Some(mode) = word("new file mode ").or(word("new mode ")) {
                made |= line.starts_with("new file");
                file.mode = Some(self.mode(mode)?);
            } else if let Some(mode) = word("deleted file mode ").or(word("old mode ")) {
                gone |= line.starts_with("deleted");
                self.mode(mode)?;
            } else if let Some(from) = word("rename from ").or(word("copy from ")) {
                file.copy = line.starts_with("copy");
                renamed = Some((self.path(from)?, None));
            } else if let Some(to) = word("rename to ").or(word("copy to ")) {
                let to = self.path(to)?;
                renamed = renamed.map(|(from, _)| (from, Some(to)));
            } else if line.starts_with("GIT binary patch") || line.starts_with("Binary files ") {
                return Err(self.fault("binary files cannot be patched; write them"));
            } else if !line.starts_with("index ")
                && !line.starts_with("similarity index ")
                && !line.starts_with("dissimilarity index ")
            {
                break;
            }
            self.at += 1;
        }
        if let Some((from, to)) = renamed {
            (file.old, file.new) = (Some(from), to);
        } else if !self.is_at_names() {
            let name = both(names).ok_or_else(|| self.fault("a file's name cannot be read"))?;
            let path = self.path(&name)?;
            file.old = (!made).then(|| path.clone());
            file.new = (!gone).then_some(path);
        }
        Ok(())
    }

    fn mode(&self, mode: &str) -> Result<FileMode, PatchError> {
        match mode {
            "100644" | "100664" => Ok(FileMode::Regular),
            "100755" => Ok(FileMode::Executable),
            _ => Err(self.fault(format!("a file of mode {mode} cannot be patched"))),
        }
    }

    fn path(&self, text: &str) -> Result<FilePath, PatchError> {
        let text = unquoted(text).ok_or_else(|| self.fault("a file's name cannot be read"))?;
        FilePath::new(text).map_err(|error| self.fault(error.to_string()))
    }

    fn name(&mut self, mark: &str, prefix: &str) -> Result<Option<FilePath>, PatchError> {
        let line = self.peek().unwrap_or_default();
        let text = line.strip_prefix(mark).unwrap_or_default();
        // Behind a tab comes a time, or nothing.
        let end =
            if text.starts_with('"') { text.rfind('"').map(|at| at + 1) } else { text.find('\t') };
        let text = &text[..end.unwrap_or(text.len())];
        let text = unquoted(text).ok_or_else(|| self.fault("a file's name cannot be read"))?;
        let path = match text.as_str() {
            "/dev/null" => None,
            text => Some(self.path(text.strip_prefix(prefix).unwrap_or(text))?),
        };
        self.at += 1;
        Ok(path)
    }

    fn hunk(&mut self) -> Result<Hunk, PatchError> {
        let line = self.peek().unwrap_or_default();
        let ranges = line.strip_prefix("@@ -").and_then(|rest| rest.split_once(" @@"));
        let ranges = ranges.and_then(|(ranges, _)| ranges.split_once(" +"));
        let ranges = ranges.and_then(|(old, new)| Some((range(old)?, range(new)?)));
        let Some(((start, mut old), (_, mut new))) = ranges else {
            return Err(self.fault("is no head of a hunk, `@@ -1,2 +1,3 @@`"));
        };
        // Where there are no lines, the one before is named.
        let before = if old == 0 { start } else { start.saturating_sub(1) };
        let mut lines = Vec::new();
        self.at += 1;
        while old > 0 || new > 0 {
            let line = self.lines.get(self.at).copied();
            let (side, text) = match line.and_then(|line| line.split_at_checked(1)) {
                Some((" ", text)) => (Side::Both, text),
                Some(("-", text)) => (Side::Old, text),
                Some(("+", text)) => (Side::New, text),
                // Some tools cut the space of an empty line.
                Some(("\n", _)) => (Side::Both, "\n"),
                _ => return Err(self.fault("the hunk ends too early")),
            };
            let left =
                |count: usize, counts| if counts { count.checked_sub(1) } else { Some(count) };
            let counted = (left(old, side != Side::New), left(new, side != Side::Old));
            let (Some(old_left), Some(new_left)) = counted else {
                return Err(self.fault("the hunk has more lines than its head says"));
            };
            (old, new) = (old_left, new_left);
            // The very last one may have lost its end on the way here.
            let end = if text.ends_with('\n') { "" } else { "\n" };
            lines.push((side, format!("{text}{end}")));
            self.at += 1;
            if self.peek().is_some_and(|line| line.starts_with("\\ ")) {
                let last = lines.last_mut().map(|(_, text)| text);
                last.into_iter().for_each(|text| text.truncate(text.len() - 1));
                self.at += 1;
            }
        }
        Ok(Hunk { before, lines })
    }
}

/// `3,2` or `3`, which is one line.
fn range(text: &str) -> Option<(usize, usize)> {
    match text.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

/// The one name in `a/NAME b/NAME`.
fn both(names: &str) -> Option<String> {
    if let Some(first) = names.strip_prefix('"') {
        let end = first.find("\" \"")? + 2;
        return unquoted(&names[..end])?.strip_prefix("a/").map(str::to_owned);
    }
    let (first, second) = names.split_at_checked(names.len() / 2)?;
    let (first, second) = (first.strip_prefix("a/")?, second.strip_prefix(" b/")?);
    (first == second).then(|| first.to_owned())
}

/// A name as git writes it, with its escapes taken back.
fn unquoted(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        return Some(text.to_owned());
    };
    let mut bytes = inner.strip_suffix('"')?.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        plain.push(match bytes.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let digit = |byte: u8| char::from(byte).to_digit(8);
                let digits = [digit(first)?, digit(bytes.next()?)?, digit(bytes.next()?)?];
                u8::try_from(digits[0] * 64 + digits[1] * 8 + digits[2]).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(plain).ok()
}

impl FilePatch {
    /// How much text it brings.
    pub fn bytes(&self) -> usize {
        self.hunks.iter().flat_map(|hunk| &hunk.lines).map(|(_, line)| line.len()).sum()
    }

    /// The content afterwards; or which hunk does not fit, and why.
    pub fn apply(&self, content: &[u8]) -> Result<Vec<u8>, String> {
        let old: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
        let (mut new, mut at) = (Vec::with_capacity(content.len()), 0);
        for (number, hunk) in self.hunks.iter().enumerate() {
            let number = number + 1;
            let Some(kept) = old.get(at..hunk.before) else {
                return Err(format!("hunk {number} is not where the patch says it is"));
            };
            kept.iter().for_each(|line| new.extend_from_slice(line));
            at = hunk.before;
            for (side, line) in &hunk.lines {
                if *side != Side::New {
                    if old.get(at).is_none_or(|found| *found != line.as_bytes()) {
                        let line = at + 1;
                        return Err(format!("hunk {number} does not fit at line {line}"));
                    }
                    at += 1;
                }
                if *side != Side::Old {
                    new.extend_from_slice(line.as_bytes());
                }
            }
        }
        old[at..].iter().for_each(|line| new.extend_from_slice(line));
        Ok(new)
    }
}

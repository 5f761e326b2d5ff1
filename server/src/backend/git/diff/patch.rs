//! One file's unified diff, word for word as git writes it; it must never put a byte into text
//! that is not UTF-8.

use std::fmt::Write as _;

use gix::bstr::{BStr, ByteSlice};
use gix::diff::blob::{Algorithm, Diff, InternedInput, Interner, Token, sources};

use super::Side;

/// Lines shown around a change.
const CONTEXT_LINES: u32 = 3;
/// In how much of its beginning a NUL makes a file binary, in bytes, as git has it.
const SNIFFED_BYTES: usize = 8_000;

pub struct Sides<'a> {
    pub old: Option<&'a Side>,
    pub new: Option<&'a Side>,
}

pub struct Patch {
    pub text: String,
    pub additions: u32,
    pub deletions: u32,
}

impl Sides<'_> {
    /// Nothing when one of them is no text.
    pub fn compare(&self, old: &[u8], new: &[u8]) -> Option<Patch> {
        let is_text = |content| !is_binary(content) && str::from_utf8(content).is_ok();
        if !is_text(old) || !is_text(new) {
            return None;
        }
        let (Some(_), Some(_)) = (self.old, self.new) else {
            return Some(self.one(old, new));
        };
        if self.is_replaced() {
            // git writes a change of type as a deletion and an addition.
            let gone = Sides { old: self.old, new: None }.one(old, b"");
            let come = Sides { old: None, new: self.new }.one(b"", new);
            return Some(Patch {
                text: gone.text + &come.text,
                additions: come.additions,
                deletions: gone.deletions,
            });
        }
        Some(self.one(old, new))
    }

    fn is_replaced(&self) -> bool {
        let (Some(old), Some(new)) = (self.old, self.new) else { return false };
        old.mode.is_link() != new.mode.is_link()
    }

    fn one(&self, old: &[u8], new: &[u8]) -> Patch {
        let input = InternedInput::new(sources::byte_lines(old), sources::byte_lines(new));
        let mut diff = Diff::compute(Algorithm::Myers, &input);
        diff.postprocess_lines(&input);
        let mut text = self.header();
        if diff.count_additions() + diff.count_removals() > 0 {
            let name = |prefix, side: Option<&Side>| {
                let quoted = side.map(|side| (side, quote(prefix, side.path.as_bstr())));
                // git ends a name with a tab where it has a space.
                quoted.map_or_else(
                    || "/dev/null".to_owned(),
                    |(side, name)| if side.path.contains(&b' ') { name + "\t" } else { name },
                )
            };
            let (before, after) = (name("a/", self.old), name("b/", self.new));
            let _ = write!(text, "--- {before}\n+++ {after}\n");
            write_hunks(&mut text, &diff, &input);
        }
        Patch { text, additions: diff.count_additions(), deletions: diff.count_removals() }
    }

    fn header(&self) -> String {
        let path = |side: Option<&Side>, other: Option<&Side>| {
            side.or(other).map_or_else(Default::default, |side| side.path.clone())
        };
        let (before, after) = (path(self.old, self.new), path(self.new, self.old));
        let (a, b) = (quote("a/", before.as_bstr()), quote("b/", after.as_bstr()));
        let mut text = format!("diff --git {a} {b}\n");
        let none = "0".repeat(40);
        let id = |side: Option<&Side>| side.map_or(none.clone(), |side| side.id.to_string());
        let (old_id, new_id) = (id(self.old), id(self.new));
        let mode = |side: &Side| format!("{:06o}", side.mode.value());
        let mut same_mode = String::new();
        match (self.old, self.new) {
            (None, Some(new)) => drop(writeln!(text, "new file mode {}", mode(new))),
            (Some(old), None) => drop(writeln!(text, "deleted file mode {}", mode(old))),
            (Some(old), Some(new)) if old.mode != new.mode => {
                let _ = writeln!(text, "old mode {}\nnew mode {}", mode(old), mode(new));
            }
            (Some(old), Some(_)) => same_mode = format!(" {}", mode(old)),
            (None, None) => {}
        }
        if before != after {
            let (from, to) = (quote("", before.as_bstr()), quote("", after.as_bstr()));
            let _ = writeln!(text, "rename from {from}\nrename to {to}");
        }
        if old_id != new_id {
            let _ = writeln!(text, "index {old_id}..{new_id}{same_mode}");
        }
        text
    }
}

/// What git takes for a binary file.
pub fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(SNIFFED_BYTES)].contains(&0)
}

fn write_hunks(text: &mut String, diff: &Diff, input: &InternedInput<&[u8]>) {
    let mut open: Vec<_> = Vec::new();
    for hunk in diff.hunks() {
        let apart = open.last().is_some_and(|last: &gix::diff::blob::Hunk| {
            hunk.before.start - last.before.end > 2 * CONTEXT_LINES
        });
        if apart {
            write_hunk(text, &open, input);
            open.clear();
        }
        open.push(hunk);
    }
    write_hunk(text, &open, input);
}

/// Changes close enough to each other to be shown as one.
fn write_hunk(text: &mut String, changes: &[gix::diff::blob::Hunk], input: &InternedInput<&[u8]>) {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
    let lines = input.before.len() as u32;
    let lead = first.before.start.min(CONTEXT_LINES);
    let trail = (lines - last.before.end).min(CONTEXT_LINES);
    let (old_start, new_start) = (first.before.start - lead, first.after.start - lead);
    let old_len = last.before.end + trail - old_start;
    let new_len = last.after.end + trail - new_start;
    let (old, new) = (range(old_start, old_len), range(new_start, new_len));
    let _ = writeln!(text, "@@ -{old} +{new} @@");
    let mut at = old_start;
    for change in changes {
        write_lines(
            text,
            ' ',
            &input.before[at as usize..change.before.start as usize],
            &input.interner,
        );
        let (gone, come) = (change.before.clone(), change.after.clone());
        write_lines(
            text,
            '-',
            &input.before[gone.start as usize..gone.end as usize],
            &input.interner,
        );
        write_lines(
            text,
            '+',
            &input.after[come.start as usize..come.end as usize],
            &input.interner,
        );
        at = change.before.end;
    }
    write_lines(
        text,
        ' ',
        &input.before[at as usize..(last.before.end + trail) as usize],
        &input.interner,
    );
}

/// Lines are counted from 1; where there is none, the one before is named.
fn range(start: u32, len: u32) -> String {
    match len {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        _ => format!("{},{len}", start + 1),
    }
}

fn write_lines(text: &mut String, mark: char, lines: &[Token], known: &Interner<&[u8]>) {
    for line in lines {
        let line = known[*line];
        text.push(mark);
        text.push_str(&line.to_str_lossy());
        if !line.ends_with(b"\n") {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// A name as git writes it: in quotes, with escapes, where it holds anything unusual.
fn quote(prefix: &str, path: &BStr) -> String {
    let unusual = |byte: &u8| *byte < b' ' || *byte >= 0x7f || matches!(byte, b'"' | b'\\');
    if !path.iter().any(unusual) {
        return format!("{prefix}{path}");
    }
    let mut quoted = format!("\"{prefix}");
    for &byte in path.iter() {
        match byte {
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'\r' => quoted.push_str("\\r"),
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            other => drop(write!(quoted, "\\{other:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

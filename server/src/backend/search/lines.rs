//! The lines of a passage that say why it was found.

use std::collections::HashSet;
use std::ops::Range;

use gix::bstr::ByteSlice;

use super::card::lines_of;
use super::words::{Word, words};
use crate::model::search::Line;

/// Lines of a passage that are shown.
const SHOWN: usize = 3;
/// Lines before the first and after the last of them that belong to what was found.
const AROUND: usize = 5;
/// A line says enough if it says this much of what the best one does.
const ENOUGH: f32 = 0.5;
/// Longest line that is shown whole, in characters, and how much of a longer one before the match.
const LINE_CHARS_MAX: usize = 500;
const LEAD_CHARS: usize = 100;

/// What of a passage is shown.
pub struct Excerpt {
    /// Lines counted from 1, the last one included.
    pub first: usize,
    pub last: usize,
    /// The best lines, in their order.
    pub lines: Vec<Line>,
}

/// The best part of a passage: where its words are, and the `marked` lines, counted from 1.
pub fn excerpt(
    content: &[u8],
    passage: u32,
    sought: &[(Word, f32)],
    marked: &HashSet<u64>,
) -> Excerpt {
    let bounds = lines_of(passage);
    let mut hits: Vec<(f32, Line)> = Vec::new();
    let mut end = bounds.start;
    for (number, line) in content.lines().enumerate().skip(bounds.start).take(bounds.len()) {
        let (number, text) = (number + 1, line.to_str_lossy());
        end = number;
        let (mut says, at) = look(&text, sought);
        if marked.contains(&(number as u64)) {
            // Whatever its words: it is what was asked for.
            says += 2.0 * sought.iter().map(|(_, weight)| weight).sum::<f32>() + 1.0;
        }
        if says > 0.0 {
            hits.push((says, shown(number as u64, &text, at)));
        }
    }
    let best = hits.iter().map(|(says, _)| *says).fold(0.0, f32::max);
    hits.retain(|(says, _)| *says >= best * ENOUGH);
    let near = |number: u64| number as usize;
    let first = hits.first().map_or(bounds.start + 1, |(_, line)| near(line.number));
    let last = hits.last().map_or(end, |(_, line)| near(line.number));
    // Of equal ones, the first.
    hits.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut lines: Vec<Line> = hits.into_iter().take(SHOWN).map(|(_, line)| line).collect();
    lines.sort_by_key(|line| line.number);
    let first = first.saturating_sub(AROUND).max(bounds.start + 1);
    Excerpt { first, last: (last + AROUND).min(end.max(first)), lines }
}

/// How much a line says of what is sought, and where the word is that says most.
fn look(text: &str, sought: &[(Word, f32)]) -> (f32, Range<usize>) {
    let mut seen: HashSet<Word> = HashSet::new();
    let (mut says, mut most, mut at) = (0.0, 0.0, 0..0);
    words(text, |found| {
        let Some((_, weight)) = sought.iter().find(|(word, _)| *word == found.word) else { return };
        if seen.insert(found.word) {
            says += weight;
        }
        // Of equal ones, the whole name rather than a part of it.
        if *weight > most || *weight == most && found.end - found.start > at.len() {
            (most, at) = (*weight, found.start..found.end);
        }
    });
    (says, at)
}

/// A line with its match, counted in characters; of a long one, the part around the match.
fn shown(number: u64, text: &str, at: Range<usize>) -> Line {
    let start = text[..at.start].chars().count();
    let end = start + text[at].chars().count();
    let from = if end > LINE_CHARS_MAX { start.saturating_sub(LEAD_CHARS) } else { 0 };
    let part: String = text.chars().skip(from).take(LINE_CHARS_MAX).collect();
    let within = |place: usize| (place - from).min(LINE_CHARS_MAX);
    Line { number, text: part, start: within(start), end: within(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(texts: &[&str]) -> Vec<(Word, f32)> {
        let mut all = Vec::new();
        texts.iter().for_each(|text| words(text, |found| all.push((found.word, 1.0))));
        all
    }

    #[test]
    fn the_best_lines_are_shown_in_their_order() {
        let text: String = (1..=60).map(|n| format!("line {n}\n")).collect();
        let text =
            text.replace("line 30\n", "größe of alpha beta\n").replace("line 40\n", "alpha\n");
        let found = excerpt(text.as_bytes(), 0, &sought(&["alpha", "beta"]), &HashSet::new());
        let lines: Vec<_> = found.lines.iter().map(|it| (it.number, it.start, it.end)).collect();
        assert_eq!(lines, [(30, 9, 14), (40, 0, 5)]);
        assert_eq!((found.first, found.last), (25, 45));
        let marked = excerpt(text.as_bytes(), 0, &sought(&["alpha"]), &HashSet::from([2]));
        assert_eq!(marked.lines.iter().map(|it| it.number).collect::<Vec<_>>(), [2]);
        let none = excerpt(text.as_bytes(), 1, &sought(&["alpha"]), &HashSet::new());
        assert_eq!((none.first, none.last, none.lines.len()), (51, 60, 0));
    }

    #[test]
    fn of_a_long_line_the_match_is_shown() {
        let text = format!("{} alpha {}", "é".repeat(2_000), "y".repeat(2_000));
        let found = excerpt(text.as_bytes(), 0, &sought(&["alpha"]), &HashSet::new());
        let line = &found.lines[0];
        let chars: Vec<char> = line.text.chars().collect();
        assert_eq!(chars.len(), LINE_CHARS_MAX);
        assert_eq!(chars[line.start..line.end].iter().collect::<String>(), "alpha");
        let empty = excerpt(b"", 0, &sought(&["alpha"]), &HashSet::new());
        assert_eq!((empty.first, empty.last), (1, 1));
    }
}

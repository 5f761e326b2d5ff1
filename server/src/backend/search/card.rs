//! What one content is found by: which words are in which of its passages, and how often. The
//! same for equal contents, wherever and whenever they were read.

use std::ops::Range;

use gix::bstr::ByteSlice;

use super::words::{Word, words};
use crate::backend::git::diff::is_binary;

/// Lines of a passage.
pub const PASSAGE_LINES: usize = 50;
/// A larger content is found by its path only, in bytes: nobody wrote it by hand.
pub const CONTENT_BYTES_MAX: usize = 1024 * 1024;

/// Sorted by word: words, where the uses of each begin, and the uses.
pub struct Card {
    words: Box<[Word]>,
    begins: Box<[u32]>,
    uses: Box<[Use]>,
    /// Words of each passage, counted with their weights.
    lengths: Box<[u32]>,
}

/// A word in a passage.
#[derive(Clone, Copy)]
pub struct Use {
    pub passage: u32,
    pub count: u32,
}

impl Card {
    pub fn new(content: &[u8]) -> Self {
        let mut all: Vec<(Word, u32, u32)> = Vec::new();
        let mut lengths = Vec::new();
        if content.len() <= CONTENT_BYTES_MAX && !is_binary(content) {
            for (number, line) in content.lines().enumerate() {
                let passage = number / PASSAGE_LINES;
                if passage == lengths.len() {
                    lengths.push(0);
                }
                words(&line.to_str_lossy(), |found| {
                    lengths[passage] += u32::from(found.weight);
                    all.push((found.word, passage as u32, found.weight.into()));
                });
            }
        }
        all.sort_unstable();
        let (mut words, mut begins) = (Vec::new(), Vec::new());
        let mut uses: Vec<Use> = Vec::new();
        for (word, passage, count) in all {
            if words.last() != Some(&word) {
                words.push(word);
                begins.push(uses.len() as u32);
                uses.push(Use { passage, count });
                continue;
            }
            match uses.last_mut() {
                Some(last) if last.passage == passage => last.count += count,
                _ => uses.push(Use { passage, count }),
            }
        }
        Self {
            words: words.into(),
            begins: begins.into(),
            uses: uses.into(),
            lengths: lengths.into(),
        }
    }

    /// The passages a word is in, if it is.
    pub fn uses(&self, word: Word) -> &[Use] {
        let Ok(place) = self.words.binary_search(&word) else { return &[] };
        let begin = self.begins[place] as usize;
        let end = self.begins.get(place + 1).map_or(self.uses.len(), |next| *next as usize);
        &self.uses[begin..end]
    }

    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// What the card takes in memory.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.words)
            + size_of_val(&*self.begins)
            + size_of_val(&*self.uses)
            + size_of_val(&*self.lengths)
    }
}

/// The lines of a passage, counted from 0.
pub fn lines_of(passage: u32) -> Range<usize> {
    let begin = passage as usize * PASSAGE_LINES;
    begin..begin + PASSAGE_LINES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        let mut found = None;
        words(text, |it| found = Some(it.word));
        found.expect("a word")
    }

    #[test]
    fn a_card_knows_where_a_word_is_and_how_often() {
        let mut text = "alpha beta alpha\n".to_owned();
        text.push_str(&"\n".repeat(PASSAGE_LINES));
        text.push_str("alpha");
        let card = Card::new(text.as_bytes());
        let uses = |text| -> Vec<_> {
            card.uses(word(text)).iter().map(|it| (it.passage, it.count)).collect()
        };
        assert_eq!(uses("alpha"), [(0, 2), (1, 1)]);
        assert_eq!(uses("beta"), [(0, 1)]);
        assert_eq!(uses("gamma"), []);
        assert_eq!(card.lengths(), [3, 1]);
        assert_eq!(lines_of(1), 50..100);
    }

    #[test]
    fn what_nobody_wrote_has_no_words() {
        assert!(Card::new(b"alpha\0").lengths().is_empty());
        assert!(Card::new(&b"alpha ".repeat(CONTENT_BYTES_MAX)).lengths().is_empty());
        assert!(Card::new(b"").lengths().is_empty());
    }
}

//! What a question asks for: its words, and what it names exactly.

use std::collections::HashSet;

use crate::backend::git::grep::Pattern;
use crate::backend::search::index::Question;
use crate::backend::search::words::{Word, is_name, words};

/// Different words of a question that count, the first ones.
const WORDS_MAX: usize = 256;
/// Texts that are looked for exactly, the first ones.
pub const EXACT_MAX: usize = 4;
/// Longest of them, in bytes; and the shortest, since less is everywhere.
const EXACT_BYTES_MAX: usize = 1_000;
const EXACT_BYTES_MIN: usize = 3;

pub struct Asked {
    words: Vec<(Word, f32)>,
    pub exact: Vec<Exact>,
}

/// Something to look for as it is.
pub struct Exact {
    pub text: String,
    pub pattern: Pattern,
}

impl Asked {
    /// `/.../` is a regular expression. What is between quotes or backticks, and names that no prose
    /// has, are looked for as they are; a single word is one.
    pub fn new(query: &str) -> Self {
        let query = query.trim();
        let mut asked = Self { words: words_of(query), exact: Vec::new() };
        let regex = query.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        if let Some(regex) = regex
            && let Some(exact) = Exact::new(regex, true)
        {
            asked.exact.push(exact);
            return asked;
        }
        let mut seen = HashSet::new();
        for text in quoted(query).into_iter().chain(names(query)) {
            if asked.exact.len() < EXACT_MAX && seen.insert(text) {
                asked.exact.extend(Exact::new(text, false));
            }
        }
        if asked.exact.is_empty() && !query.contains(char::is_whitespace) {
            asked.exact.extend(Exact::new(query, false));
        }
        asked
    }

    /// The same without what is named exactly.
    pub fn words_only(&self) -> Self {
        Self { words: self.words.clone(), exact: Vec::new() }
    }

    pub fn question(&self) -> Question {
        Question { words: self.words.clone(), ..Question::default() }
    }
}

impl Exact {
    /// None if it cannot be looked for; then its words still count.
    fn new(text: &str, regex: bool) -> Option<Self> {
        let fits = (EXACT_BYTES_MIN..=EXACT_BYTES_MAX).contains(&text.len());
        let pattern = fits.then(|| Pattern::new(text, regex, false, None).ok()).flatten()?;
        Some(Self { text: text.to_owned(), pattern })
    }
}

fn words_of(query: &str) -> Vec<(Word, f32)> {
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    for line in query.lines() {
        words(line, |found| {
            if all.len() < WORDS_MAX && seen.insert(found.word) {
                all.push((found.word, 1.0));
            }
        });
    }
    all
}

fn quoted(query: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for mark in ['"', '`'] {
        // The last mark may have no end.
        let pairs = query.matches(mark).count() / 2;
        found.extend(query.split(mark).skip(1).step_by(2).take(pairs));
    }
    found
}

fn names(query: &str) -> impl Iterator<Item = &str> {
    let around = |char: char| !char.is_alphanumeric() && char != '_';
    let trimmed = query.split_whitespace().map(move |word| word.trim_matches(around));
    trimmed.filter(|word| is_name(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(query: &str) -> Vec<String> {
        Asked::new(query).exact.into_iter().map(|exact| exact.text).collect()
    }

    #[test]
    fn what_is_named_is_looked_for_as_it_is() {
        assert_eq!(
            exact("where is `let x =` set by parse_config(), if at all?"),
            ["let x =", "parse_config"]
        );
        assert_eq!(exact("how are retries done"), [""; 0]);
        assert_eq!(exact("retry"), ["retry"]);
        assert_eq!(exact("/fn +main/"), ["fn +main"]);
        assert_eq!(exact("/fn (main/"), [""; 0], "no regular expression");
        assert_eq!(exact("a \"never ended"), [""; 0]);
        assert_eq!(exact("a.b a.b c.d.e f_g h::i j_k l_m").len(), EXACT_MAX);
        assert_eq!(exact(&format!("`{}`", "x".repeat(EXACT_BYTES_MAX + 1))), [""; 0]);
    }

    #[test]
    fn words_are_bounded_and_count_once() {
        let query: String = (0..1_000).map(|n| format!("word{n} word{n}\n")).collect();
        let asked = Asked::new(&query);
        assert_eq!(asked.words.len(), WORDS_MAX);
        assert_eq!(asked.words_only().exact.len(), 0);
    }
}

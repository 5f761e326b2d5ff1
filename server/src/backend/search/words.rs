//! From text to the words it is found by. Knows how code spells names: `parseConfig`,
//! `parse_config` and "parsing of configs" have words in common.

/// Longest name that is a word as a whole, in bytes; what is longer is data.
const NAME_BYTES_MAX: usize = 64;
/// How much more a name counts where it is defined.
const DEFINED: u8 = 4;

/// Words before a name that is defined there, in many languages.
const DEFINERS: [&str; 24] = [
    "class",
    "const",
    "def",
    "define",
    "defn",
    "enum",
    "fn",
    "fun",
    "func",
    "function",
    "interface",
    "macro_rules",
    "mod",
    "module",
    "namespace",
    "object",
    "package",
    "proc",
    "record",
    "struct",
    "sub",
    "trait",
    "type",
    "union",
];

/// English words that say nothing about code.
const STOPS: [&str; 60] = [
    "a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
    "do", "does", "each", "for", "from", "has", "have", "how", "if", "in", "into", "is", "it",
    "its", "may", "must", "no", "not", "of", "on", "or", "our", "should", "so", "such", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "was", "we",
    "when", "where", "which", "while", "will", "with", "would", "you",
];

/// Length of the longest of them.
const STOP_BYTES_MAX: usize = 6;

/// A word as it is kept: two that differ may rarely be taken for one another.
pub type Word = u32;

/// Where a word is in a line, in bytes, and how much it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub word: Word,
    pub start: usize,
    pub end: usize,
    pub weight: u8,
}

/// The words of a line, in their order. A name of several words is followed by itself as a whole.
pub fn words(line: &str, mut found: impl FnMut(Found)) {
    let mut weight = 1;
    for (start, name) in names(line) {
        let end = start + name.len();
        let (mut parts, mut kept) = (0, 0);
        for (at, part) in split(name) {
            parts += 1;
            if let Some(word) = word_of(part) {
                kept += 1;
                let start = start + at;
                found(Found { word, start, end: start + part.len(), weight });
            }
        }
        if parts > 1 && kept > 0 && name.len() <= NAME_BYTES_MAX {
            found(Found { word: whole(name), start, end, weight });
        }
        weight = if DEFINERS.contains(&name) { DEFINED } else { 1 };
    }
}

/// Whether a text is spelt as no prose is: a name of several parts.
pub fn is_name(text: &str) -> bool {
    let letters = text.chars().any(char::is_alphabetic);
    let inside = text.trim_matches(|char: char| !char.is_alphanumeric());
    let joined = inside.contains(['_', '.', ':', '/', '-', '#', '(']) || split(inside).count() > 1;
    letters && joined && !inside.contains(char::is_whitespace)
}

/// Runs of letters, digits and `_`. Of scripts without spaces, each letter is by itself.
fn names(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut chars = line.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = chars.find(|(_, char)| is_part(*char))?;
        let mut end = start + first.len_utf8();
        if !is_ideograph(first) {
            while let Some((at, char)) = chars.next_if(|(_, it)| is_part(*it) && !is_ideograph(*it))
            {
                end = at + char.len_utf8();
            }
        }
        Some((start, &line[start..end]))
    })
}

fn is_part(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

fn is_ideograph(char: char) -> bool {
    matches!(char, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The parts of a name: `HTTPServer_v2` has `HTTP`, `Server` and `v2`.
fn split(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = name.trim_start_matches('_');
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        let end = part_end(rest)?;
        let part;
        let start = name.len() - rest.len();
        (part, rest) = rest.split_at(end);
        Some((start, part))
    })
}

fn part_end(rest: &str) -> Option<usize> {
    let mut before: Option<char> = None;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let Some(last) = before.replace(char) else { continue };
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        let hump = char.is_uppercase() && (!last.is_uppercase() || next_is_lower);
        if char == '_' || hump {
            return Some(at);
        }
    }
    before.map(|_| rest.len())
}

/// The word that a part of a name stands for, unless it says nothing.
fn word_of(part: &str) -> Option<Word> {
    let mut chars = part.chars();
    if chars.next().is_some_and(|first| first.is_ascii()) && chars.next().is_none() {
        return None;
    }
    if part.len() > NAME_BYTES_MAX {
        return None;
    }
    let lower = part.to_lowercase();
    let stop = lower.len() <= STOP_BYTES_MAX && STOPS.contains(&lower.as_str());
    (!stop).then(|| hash(stem(&lower)))
}

/// A name as a whole, however it is spelt. Marked, so that no word is taken for it.
fn whole(name: &str) -> Word {
    let mut text = name.to_lowercase();
    text.retain(|char| char != '_');
    text.push('_');
    hash(&text)
}

/// Without the endings that English words of one meaning differ in. Lightly: what is cut need not
/// be a word, as long as the same is cut everywhere.
fn stem(word: &str) -> &str {
    const SHORTEST: usize = 3;
    if !word.is_ascii() || word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word;
    }
    let cut = |word: &'_ str, ending: &str| {
        let rest = word.strip_suffix(ending).map_or(0, str::len);
        let vowel = word[..rest].bytes().any(|byte| b"aeiouy".contains(&byte));
        (rest >= SHORTEST && vowel).then_some(rest)
    };
    let mut stem = word;
    if !["ss", "us", "is"].iter().any(|ending| stem.ends_with(ending))
        && let Some(rest) = cut(stem, "s")
    {
        stem = &stem[..rest];
    }
    for ending in ["ing", "ed", "er", "ion", "ly"] {
        if let Some(rest) = cut(stem, ending) {
            stem = &stem[..rest];
            let twice = &stem.as_bytes()[stem.len() - 2..];
            if twice[0] == twice[1] && !b"lsz".contains(&twice[0]) {
                stem = &stem[..stem.len() - 1];
            }
            break;
        }
    }
    for ending in ["ie", "y", "i", "e"] {
        if let Some(rest) = stem.strip_suffix(ending).filter(|rest| rest.len() >= SHORTEST) {
            return rest;
        }
    }
    stem
}

/// FNV-1a: the same in every build and on every machine.
fn hash(text: &str) -> Word {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<Word> {
        let mut all = Vec::new();
        words(line, |found| all.push(found.word));
        all
    }

    fn parts(name: &str) -> Vec<&str> {
        split(name).map(|(_, part)| part).collect()
    }

    #[test]
    fn names_come_apart_where_their_spelling_says() {
        assert_eq!(parts("parse_config"), ["parse", "config"]);
        assert_eq!(parts("__HTTPServer_v2__"), ["HTTP", "Server", "v2"]);
        assert_eq!(parts("utf8ToÜberStr"), ["utf8", "To", "Über", "Str"]);
        assert_eq!(parts("___"), [""; 0]);
    }

    #[test]
    fn spellings_of_one_name_are_one_word() {
        assert_eq!(all("parseConfig"), all("parse_config"));
        assert_eq!(all("parsing configs")[..2], all("parse_config")[..2]);
        assert_eq!(all("the retries of it"), all("retry"));
        assert_ne!(all("parse_config").last(), all("parseconfig").last(), "one word is no name");
        assert_eq!(all("漢字").len(), 2);
    }

    #[test]
    fn endings_fall_alike() {
        for same in [
            &["parse", "parses", "parsed", "parsing", "parser", "parsers"][..],
            &["run", "running", "runs", "runner"],
            &["class", "classes"],
            &["retry", "retries", "retried", "retrying"],
            &["connect", "connection", "connections", "connected"],
        ] {
            let stems: Vec<_> = same.iter().map(|word| stem(word)).collect();
            assert!(stems.iter().all(|it| *it == stems[0]), "{same:?}: {stems:?}");
        }
        for word in ["thing", "red", "status", "this", "bus", "string", "é", "sha1s"] {
            assert_eq!(stem(word), word);
        }
    }

    #[test]
    fn a_definition_counts_more_than_a_use() {
        let weight = |line: &str| {
            let mut last = 0;
            words(line, |found| last = found.weight);
            last
        };
        assert_eq!(weight("pub fn main"), DEFINED);
        assert_eq!(weight("call(main"), 1);
    }

    #[test]
    fn places_are_those_of_the_line() {
        let line = "let größe = max_size;";
        words(line, |it| assert!(line.is_char_boundary(it.start) && line.is_char_boundary(it.end)));
        let mut last = None;
        words(line, |found| last = Some(&line[found.start..found.end]));
        assert_eq!(last, Some("max_size"));
    }

    #[test]
    fn prose_is_told_from_names() {
        for name in ["max_size", "parseConfig", "std::env", "a.b", "HashMap<K>", "src/main.rs"] {
            assert!(is_name(name), "{name}");
        }
        for prose in ["size", "Retry", "end.", "(see", "HTTP", "12.5", "--", "it's"] {
            assert!(!is_name(prose), "{prose}");
        }
    }
}

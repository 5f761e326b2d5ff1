//! Inputs that are almost what a parser expects: good examples, damaged in the ways that parsers have gone
//! wrong about. The same seed makes the same inputs.

use std::time::{Duration, Instant, SystemTime};

/// How long each target is fuzzed with `TEST_LONG=1`.
const LONG: Duration = Duration::from_secs(60);
/// Names a seed, to make the same inputs again.
const SEED: &str = "FUZZ_SEED";
/// Longest input, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// What means something to some parser.
const TOKENS: [&[u8]; 32] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[[[[[[[[",
    b",",
    b":",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    b"\\u0000",
    b"\\ud800",
    b"%00",
    b"%ff",
    b"%",
    b"&",
    b"=",
    b"..",
    b"/",
    b"0000",
    b"0003",
    b"ffff",
    b"\n\ndata: ",
];

pub struct Mutants {
    examples: Vec<Vec<u8>>,
    state: u64,
    made: usize,
    usual: usize,
    until: Option<Instant>,
}

impl Mutants {
    /// As many as are usual, or as there is time for.
    pub fn of(examples: Vec<Vec<u8>>, usual: usize) -> Self {
        let is_long = std::env::var_os("TEST_LONG").is_some();
        let named = std::env::var(SEED).ok().map(|seed| seed.parse().expect("a number"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
        let fresh = if is_long { now.as_micros() as u64 } else { 1 };
        let seed = named.unwrap_or(fresh);
        println!("{SEED}={seed}");
        let until = is_long.then(|| Instant::now() + LONG);
        Self { examples, state: seed, made: 0, usual, until }
    }

    /// Says how many there were, and that both kinds of them were seen.
    pub fn tell(&self, accepted: usize) {
        println!("{} inputs, {accepted} of them accepted", self.made);
        assert!(accepted > 0 && accepted < self.made, "{accepted} of {} accepted", self.made);
    }

    pub fn number(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.number(bytes.len() + 1);
        let end = at + self.number(bytes.len() - at + 1).min(64);
        match self.number(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.number(8),
            1 if at < bytes.len() => bytes[at] = self.number(256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let other = self.number(self.examples.len());
                let from = self.number(self.examples[other].len());
                bytes.truncate(at);
                bytes.extend_from_slice(&self.examples[other][from..]);
            }
            4 => {
                let piece = bytes[at..end].to_vec();
                let to = self.number(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            5 => drop(bytes.drain(at..end)),
            // A number that is too large for its type, or that says another length.
            6 => {
                let digits =
                    bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found);
                let Some(begin) = digits else { return };
                let digits = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit());
                let end = begin + digits.count();
                let huge = 1_u128 << self.number(70);
                bytes.splice(begin..end, huge.to_string().into_bytes());
            }
            7 if at + 4 <= bytes.len() => {
                let length = format!("{:04x}", self.number(0x1_0000));
                bytes[at..at + 4].copy_from_slice(length.as_bytes());
            }
            _ => {
                let token = TOKENS[self.number(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
        }
        bytes.truncate(BYTES_MAX);
    }
}

/// An input, and the number of the example it was made of.
impl Iterator for Mutants {
    type Item = (usize, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let is_over = match self.until {
            Some(until) => Instant::now() >= until,
            None => self.made >= self.usual,
        };
        if is_over {
            return None;
        }
        self.made += 1;
        let example = self.number(self.examples.len());
        let mut bytes = self.examples[example].clone();
        for _ in 0..self.number(5) {
            self.damage(&mut bytes);
        }
        Some((example, bytes))
    }
}

//! The breaks a team has accepted. An entry must give its reason and must match something, so that the list only shrinks.

use std::collections::HashMap;

use crate::{Error, Finding};

/// The rule under which an entry that matches nothing is reported.
pub const STALE: &str = "allow-entry-stale";

const FORM: &str = "`<rule> <pointer>  # reason`";

/// Accepted breaks, one per line: `<rule> <pointer>  # reason`. Empty lines and lines that start with `#` are skipped.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    line: usize,
    rule: String,
    pointer: String,
}

impl AllowList {
    /// Reads an allow list.
    ///
    /// # Errors
    /// A line without rule, pointer or reason, or a break allowed twice; with the line's number.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut seen = HashMap::new();
        let mut entries = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let refuse = |message: String| Error::AllowList { line: number, message };
            // A pointer holds no white space, but may well hold a `#`.
            let (rule, rest) = word(line);
            let (pointer, rest) = word(rest);
            if !pointer.starts_with('/') {
                return Err(refuse(format!("`{pointer}` is not a JSON pointer; write {FORM}")));
            }
            if rest.strip_prefix('#').is_none_or(|reason| reason.trim().is_empty()) {
                return Err(refuse(format!("the reason is missing; write {FORM}")));
            }
            let key = (rule.to_owned(), pointer.to_owned());
            if let Some(first) = seen.insert(key, number) {
                return Err(refuse(format!(
                    "this is allowed in line {first} already; delete one of the two"
                )));
            }
            entries.push(Entry {
                line: number,
                rule: rule.to_owned(),
                pointer: pointer.to_owned(),
            });
        }
        Ok(Self { entries })
    }

    /// The findings that are not allowed, and one more for each entry that matched none.
    #[must_use]
    pub fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let stale = self
            .entries
            .iter()
            .filter(|entry| !findings.iter().any(|finding| entry.allows(finding)));
        let mut left: Vec<Finding> = stale.map(Entry::stale).collect();
        left.extend(
            findings
                .into_iter()
                .filter(|finding| !self.entries.iter().any(|entry| entry.allows(finding))),
        );
        left.sort();
        left
    }
}

/// The first word of a line, and what follows it.
fn word(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim_start())
}

impl Entry {
    fn allows(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && self.pointer == finding.pointer
    }

    fn stale(&self) -> Finding {
        Finding {
            pointer: self.pointer.clone(),
            rule: STALE,
            direction: None,
            message: format!(
                "allow list line {} permits `{}` here, but nothing breaks that rule here; delete the line",
                self.line, self.rule
            ),
        }
    }
}

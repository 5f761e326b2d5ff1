//! What a comparison reports. The fields and their JSON spelling are an interface other people's CI reads: add, never rename.

use std::fmt;

use serde::Serialize;

/// The side of an exchange a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// What clients send.
    Request,
    /// What clients receive.
    Response,
}

impl Direction {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }
}

/// One difference, or one breaking change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// JSON pointer into the normalised document. A parameter is found by `in:name`, a tag by its name,
    /// and in compatibility findings an alternative of `oneOf` or `anyOf` by its schema, tag, title or type. White space is
    /// written `%20`.
    pub pointer: String,
    /// Stable id: `only-in-a`, `only-in-b` and `differs` for drift, else the id of the rule that was broken.
    pub rule: &'static str,
    /// `None` where the finding is about both sides, or about generated code only.
    pub direction: Option<Direction>,
    pub message: String,
}

pub(crate) const ONLY_IN_A: &str = "only-in-a";
pub(crate) const ONLY_IN_B: &str = "only-in-b";
pub(crate) const DIFFERS: &str = "differs";

impl fmt::Display for Finding {
    /// Drift reads `pointer: message`; a break starts with `rule pointer`, ready to be pasted into an allow list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if ![ONLY_IN_A, ONLY_IN_B, DIFFERS].contains(&self.rule) {
            write!(f, "{} ", self.rule)?;
        }
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

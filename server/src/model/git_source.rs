//! Where a source repo takes history from: a repository elsewhere, over git.

use super::edit::CommitId;
use super::source_ref::BranchName;

/// Longest URL, in characters.
pub const URL_CHARS_MAX: usize = 2_083;
/// Longest user name, and longest password, in characters.
pub const LOGIN_CHARS_MAX: usize = 1_024;
/// Most commits of each line of development that can be asked for by number.
pub const DEPTH_MAX: u32 = 1_000_000;
/// Most commits at which the history of one repo may be cut off.
pub const CUTS_MAX: usize = 10_000;

/// Which commit to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// That of the branch the other repository calls its default.
    Default,
    Branch(BranchName),
    Commit(CommitId),
}

/// What to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub start: Start,
    pub history: History,
}

/// How much of what was before the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// All of it.
    Whole,
    /// So many commits of each line of development, the newest one among them.
    Last(u32),
    /// What is missing between there and what the repo has.
    Missing,
}

/// In order: none comes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Waits for its turn.
    #[default]
    Waiting,
    /// The other side puts together what to send.
    Preparing,
    Receiving,
    /// Makes whole objects of what came, and checks them.
    Resolving,
    /// Makes it durable.
    Storing,
}

impl Phase {
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Preparing, Self::Receiving, Self::Resolving, Self::Storing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing => "preparing",
            Self::Receiving => "receiving",
            Self::Resolving => "resolving",
            Self::Storing => "storing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// From where to where it brings the whole, in percent; the spans are those of large imports.
    const fn span(self) -> (u64, u64) {
        match self {
            Self::Waiting | Self::Preparing => (0, 0),
            Self::Receiving => (0, 70),
            Self::Resolving => (70, 95),
            Self::Storing => (95, 99),
        }
    }
}

/// How far a fetch has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub phase: Phase,
    /// Objects that this phase is done with, and that it has to do with; 0 if that is not known.
    pub objects: u64,
    pub total: u64,
    /// Bytes received.
    pub bytes: u64,
}

impl Progress {
    /// How much of the whole is done, 99 at most.
    pub fn percent(&self) -> u8 {
        let (from, to) = self.phase.span();
        let part = (to - from) * self.objects.min(self.total);
        let percent = from + part.checked_div(self.total).unwrap_or(0);
        u8::try_from(percent).unwrap_or(99)
    }
}

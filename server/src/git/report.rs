//! What a push came to, in the frames that git expects.

use super::pkt::{self, Band};
use crate::model::push::Outcomes;
use crate::model::source_repo::DEFAULT_BRANCH;

/// What the client asked for beside its commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    pub report: bool,
    pub bands: bool,
    pub atomic: bool,
}

impl Wishes {
    pub fn read(words: &[u8]) -> Self {
        let mut wishes = Self::default();
        for word in words.split(|byte| byte.is_ascii_whitespace()) {
            match word {
                b"report-status" => wishes.report = true,
                b"side-band-64k" => wishes.bands = true,
                b"atomic" => wishes.atomic = true,
                _ => {}
            }
        }
        wishes
    }
}

/// The body of the answer.
pub fn write(
    wishes: &Wishes,
    unpacked: Result<(), String>,
    names: &[String],
    outcomes: &Outcomes,
) -> Vec<u8> {
    let mut report = Vec::new();
    let unpacked = unpacked.map_or_else(|reason| reason, |()| "ok".to_owned());
    pkt::write(&mut report, format!("unpack {unpacked}\n").as_bytes());
    for (name, outcome) in names.iter().zip(outcomes) {
        let line = match outcome {
            Ok(()) => format!("ok {name}\n"),
            Err(reason) => format!("ng {name} {reason}\n"),
        };
        pkt::write(&mut report, line.as_bytes());
    }
    report.extend_from_slice(pkt::FLUSH);
    if !wishes.report {
        report.clear();
    }
    if !wishes.bands {
        return report;
    }
    let mut body = Vec::new();
    if let Some(hint) = hint(names, outcomes) {
        pkt::write_band(&mut body, Band::Words, hint.as_bytes());
    }
    pkt::write_band(&mut body, Band::Data, &report);
    body.extend_from_slice(pkt::FLUSH);
    body
}

/// Somebody who still calls their branch by its old name would look for it in vain.
fn hint(names: &[String], outcomes: &Outcomes) -> Option<String> {
    const OLD: &str = "refs/heads/master";
    let accepted = names.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
    let mut names = accepted.map(|(name, _)| name.as_str());
    names.clone().any(|name| name == OLD).then_some(())?;
    (!names.any(|name| name == DEFAULT_BRANCH)).then(|| {
        "The default branch is `main`: clones check it out, and the API reads and edits it. To push \
         there: git push origin master:main\n"
            .to_owned()
    })
}

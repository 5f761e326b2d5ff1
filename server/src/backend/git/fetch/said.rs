//! What `git fetch` says while it is at work: how far it has come, and why it could not go on. Most of
//! it comes from the other side, so that none of it is kept without bounds or passed on as it is.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};
use tokio::sync::watch;

use crate::model::git_source::{Phase, Progress, Start};

/// Longest line that is looked at, in bytes.
const LINE_BYTES_MAX: usize = 1_024;
/// Last lines that are kept.
const LINES_MAX: usize = 16;
/// Longest reason that is passed on, in characters.
const REASON_CHARS_MAX: usize = 400;

#[derive(Default)]
pub struct Said {
    line: Vec<u8>,
    lines: VecDeque<String>,
}

impl Said {
    /// Listens to the end.
    pub async fn read(
        &mut self,
        source: &mut (impl AsyncBufRead + Unpin),
        progress: &watch::Sender<Progress>,
    ) -> io::Result<()> {
        loop {
            let chunk = source.fill_buf().await?;
            let length = chunk.len();
            if length == 0 {
                self.end_line(progress);
                return Ok(());
            }
            for byte in chunk {
                match byte {
                    b'\r' | b'\n' => self.end_line(progress),
                    _ if self.line.len() < LINE_BYTES_MAX => self.line.push(*byte),
                    _ => {}
                }
            }
            source.consume(length);
        }
    }

    fn end_line(&mut self, progress: &watch::Sender<Progress>) {
        let line = String::from_utf8_lossy(&self.line).trim().to_owned();
        self.line.clear();
        if let Some((phase, objects, total)) = progress_of(&line) {
            progress.send_if_modified(|now| {
                // The other side goes on talking while its objects arrive.
                let further = phase >= now.phase;
                if further {
                    *now = Progress { phase, objects, total, ..*now };
                }
                further
            });
            return;
        }
        if !line.is_empty() {
            if self.lines.len() == LINES_MAX {
                self.lines.pop_front();
            }
            self.lines.push_back(line);
        }
    }

    /// Why there is nothing, for whoever asked.
    pub fn reason(&self, start: &Start, status: ExitStatus) -> String {
        let has = |text: &str| self.lines.iter().any(|line| line.contains(text));
        if has("could not read Username") || has("Authentication failed") {
            return "The URL asks for a user name and password, or does not take those that were \
                    sent."
                .to_owned();
        }
        if has("find remote ref") {
            return match start {
                Start::Branch(name) => format!("The URL has no branch `{name}`."),
                _ => "The URL has no commit yet, or no default branch. Name a branch.".to_owned(),
            };
        }
        if let Start::Commit(id) = start
            && has("not our ref")
        {
            return format!("The URL has no commit {id}, or does not hand it out.");
        }
        if has("shallow update not allowed") {
            return "The URL's own history is cut off where the repo would need more of it."
                .to_owned();
        }
        if has("unable to update url base from redirection") || has("error: 30") {
            return "The URL leads elsewhere, and redirects are not followed. Use the URL at their \
                    end."
                .to_owned();
        }
        let told = self.lines.iter().filter(|line| {
            ["fatal:", "error:", "remote:"].iter().any(|start| line.starts_with(start))
        });
        let line = told.map(String::as_str).collect::<Vec<_>>().join("; ");
        let plain = line.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX);
        match plain.collect::<String>() {
            plain if plain.is_empty() => {
                format!("The URL cannot be fetched: git ended with {status}.")
            }
            plain => format!("The URL cannot be fetched: {plain}."),
        }
    }
}

/// `Receiving objects:  45% (450/1000), 1.20 MiB | 2.00 MiB/s`
fn progress_of(line: &str) -> Option<(Phase, u64, u64)> {
    let (label, rest) = line.split_once(": ")?;
    let phase = match label {
        "Receiving objects" => Phase::Receiving,
        "Resolving deltas" => Phase::Resolving,
        "remote" if PREPARING.iter().any(|start| rest.starts_with(start)) => Phase::Preparing,
        _ => return None,
    };
    let count = |rest: &str| -> Option<(u64, u64)> {
        let (done, total) = rest.split_once('(')?.1.split_once(')')?.0.split_once('/')?;
        Some((done.parse().ok()?, total.parse().ok()?))
    };
    let (done, total) = count(rest).unwrap_or_default();
    Some((phase, done, total))
}

/// What the other side says before it sends.
const PREPARING: [&str; 4] =
    ["Enumerating objects", "Counting objects", "Compressing objects", "Total "];

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::model::source_ref::BranchName;

    async fn hear(text: &[u8]) -> (Said, Progress) {
        let (progress, _) = watch::channel(Progress::default());
        let mut said = Said::default();
        said.read(&mut &text[..], &progress).await.expect("in memory");
        let now = *progress.borrow();
        (said, now)
    }

    #[tokio::test]
    async fn progress_is_read_and_never_goes_back() {
        let steps: [(&[u8], _, u8); 6] = [
            (b"remote: Counting objects:  50% (1/2)\r", (Phase::Preparing, 1, 2), 0),
            (
                b"Receiving objects:  45% (450/1000), 1.20 MiB | 2.00 MiB/s\r",
                (Phase::Receiving, 450, 1000),
                31,
            ),
            (b"Receiving objects: 100% (1000/1000), done.\n", (Phase::Receiving, 1000, 1000), 70),
            (b"Resolving deltas:   0% (0/12)\r", (Phase::Resolving, 0, 12), 70),
            (b"Resolving deltas: 100% (12/12), done.\n", (Phase::Resolving, 12, 12), 95),
            (b"Receiving objects:  10% (x/y)\r", (Phase::Receiving, 0, 0), 0),
        ];
        for (line, (phase, objects, total), percent) in steps {
            let (_, now) = hear(line).await;
            assert_eq!((now.phase, now.objects, now.total), (phase, objects, total));
            assert_eq!(now.percent(), percent);
        }
    }

    #[tokio::test]
    async fn reasons_are_plain_and_bounded() {
        let failed = ExitStatus::from_raw(128 << 8);
        let branch = Start::Branch(BranchName::new("x").expect("a name"));
        let commit = Start::Commit("a".repeat(40).parse().expect("an id"));
        for (text, start, expected) in [
            ("fatal: couldn't find remote ref refs/heads/x", &branch, "no branch `x`"),
            ("fatal: couldn't find remote ref HEAD", &Start::Default, "no commit yet"),
            ("fatal: remote error: upload-pack: not our ref aaa", &commit, "no commit aaaa"),
            (
                "fatal: could not read Username for 'https://x': terminal prompts disabled",
                &branch,
                "password",
            ),
            ("remote: \x1b[31mno\x07\nfatal: gone", &branch, "remote: [31mno; fatal: gone"),
            ("", &branch, "exit status: 128"),
        ] {
            let said = hear(text.as_bytes()).await.0.reason(start, failed);
            assert!(said.contains(expected) && !said.contains('\x1b'), "{said}");
        }
        let flood = "remote: x".repeat(100_000) + "\nfatal: y";
        let said = hear(flood.as_bytes()).await.0.reason(&branch, failed);
        assert!(said.chars().count() < 500, "{}", said.len());
    }
}

//! Random edits through HTTP, each compared with a plain map.
//!
//! `TEST_LONG=1` runs twenty times as many cases.

mod model;

use model::{File, Files, Op, Refusal, Verdict, Write};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use repoplane_client::types::{self, EditOperation, FileMode};

use crate::support::Server;
use crate::support::repo::{self, Repo};

/// Start, and edits on top of it.
type Case = (Vec<Write>, Vec<(Step, Vec<Index>)>);

#[derive(Clone, Debug)]
enum Step {
    Operations(Vec<Op>),
    Replace(Vec<Write>),
}

/// Few names, so that they meet: as files, as directories, and in git's order of both.
fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "a.b", "a0"]);
    prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

fn write() -> impl Strategy<Value = Write> {
    let mode = prop::sample::select(vec![None, None, None, Some(true), Some(false)]);
    (path(), 0..4_usize, mode).prop_map(|(path, size, executable)| Write {
        path,
        content: size.to_string().repeat(size),
        executable,
    })
}

fn operation() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => write().prop_map(Op::Write),
        1 => path().prop_map(Op::Delete),
        2 => (path(), path()).prop_map(|(from, to)| Op::Rename(from, to)),
    ]
}

fn step() -> impl Strategy<Value = (Step, Vec<Index>)> {
    let step = prop_oneof![
        8 => prop::collection::vec(operation(), 0..6).prop_map(Step::Operations),
        1 => prop::collection::vec(write(), 0..6).prop_map(Step::Replace),
    ];
    (step, prop::collection::vec(any::<Index>(), 6))
}

/// Points deletes and sources of renames at what exists, two times of three, so that most
/// edits succeed.
fn aim(step: Step, picks: &[Index], files: &Files) -> Step {
    let Step::Operations(operations) = step else { return step };
    let names: Vec<&String> = files.keys().collect();
    let aimed = operations.into_iter().zip(picks).map(|(operation, pick)| {
        if names.is_empty() || pick.index(3) == 0 {
            return operation;
        }
        let name = pick.get(&names).to_string();
        match operation {
            Op::Delete(_) if pick.index(5) == 0 => {
                Op::Delete(name.split('/').next().unwrap_or_default().to_owned())
            }
            Op::Delete(_) => Op::Delete(name),
            Op::Rename(_, to) => Op::Rename(name, to),
            write => write,
        }
    });
    Step::Operations(aimed.collect())
}

impl Step {
    fn expected(&self, files: &Files) -> Verdict {
        match self {
            Self::Operations(operations) => model::operations(files, operations),
            Self::Replace(writes) => model::replacement(files, writes),
        }
    }

    async fn send(&self, repo: &Repo) -> repo::Answer {
        match self {
            Self::Operations(operations) => repo.diff(operations.iter().map(wire).collect()).await,
            Self::Replace(writes) => repo.replace(writes.iter().map(wire_file).collect()).await,
        }
    }
}

fn wire(operation: &Op) -> EditOperation {
    match operation {
        Op::Write(write) => repo::write_as(&write.path, &write.content, mode(write)),
        Op::Delete(path) => repo::delete(path),
        Op::Rename(from, to) => repo::rename(from, to),
    }
}

fn wire_file(write: &Write) -> types::FileWrite {
    types::FileWrite { mode: mode(write), ..repo::file(&write.path, &write.content) }
}

fn mode(write: &Write) -> Option<FileMode> {
    write.executable.map(|yes| if yes { FileMode::X100755 } else { FileMode::X100644 })
}

/// How often each kind of outcome came up: changed, unchanged, 404, 409, 422.
type Tally = [usize; 5];

async fn check(repo: &Repo, step: &Step, files: &mut Files, tally: &mut Tally) {
    let before = repo.head().await;
    let (answer, expected) = (step.send(repo).await, step.expected(files));
    let kind = match (answer, expected) {
        (Ok(done), Ok((after, changed))) => {
            assert_eq!(done.changed_files, Some(changed), "{step:?} on {files:?}");
            assert_eq!(done.repo_head == before, after == *files, "{step:?} on {files:?}");
            assert_eq!(done.repo_head, repo.head().await);
            let unchanged = after == *files;
            *files = after;
            usize::from(unchanged)
        }
        (Err(refusal), Err(expected)) => {
            let (kind, cause) = match expected {
                Refusal::NotFound => (2, (404, "not_found")),
                Refusal::Conflict => (3, (409, "conflict")),
                Refusal::Directory => (4, (422, "validation_error")),
            };
            assert_eq!(refusal.cause(), cause, "{step:?} on {files:?}");
            assert_eq!(repo.head().await, before, "a refused edit moves nothing");
            kind
        }
        (answer, expected) => panic!("{step:?} on {files:?}: {answer:?}, expected {expected:?}"),
    };
    tally[kind] += 1;
    let contents = files.iter().map(|(path, File { content, .. })| (path.clone(), content.clone()));
    assert_eq!(repo.files().await, contents.collect(), "after {step:?}");
}

#[test]
fn edits_equal_the_model() {
    let long = std::env::var("TEST_LONG").is_ok_and(|value| value == "1");
    let config = Config {
        cases: if long { 20_000 } else { 1_000 },
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start());
    let client = runtime.block_on(async { server.owner() });
    let repo = runtime.block_on(Repo::create(&client, &[]));
    let tally = std::cell::Cell::new(Tally::default());
    let cases = (prop::collection::vec(write(), 0..6), prop::collection::vec(step(), 1..5));
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let checked = TestRunner::new_with_rng(config, rng).run(&cases, |(start, steps): Case| {
        let mut counts = tally.get();
        runtime.block_on(async {
            // Whatever the case before left.
            repo.replace(Vec::new()).await.expect("an empty repo");
            let mut files = Files::new();
            for (step, picks) in [(Step::Replace(start), vec![])].into_iter().chain(steps) {
                let step = aim(step, &picks, &files);
                check(&repo, &step, &mut files, &mut counts).await;
            }
        });
        tally.set(counts);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
    let tally = tally.get();
    println!("changed, unchanged, 404, 409, 422: {tally:?}");
    assert!(tally.iter().all(|count| *count > 10), "every outcome comes up: {tally:?}");
    runtime.block_on(server.stop());
}

//! Any run of edits: the log, every diff and every listing are what git makes of the same commits.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::stage::{Past, commit, log, tree};
use super::{diffs, patches, trees};
use crate::support::Server;
use crate::support::repo::Repo;

/// What a round does to the work tree.
#[derive(Clone, Debug)]
enum Step {
    Write(u8, Vec<u8>),
    Delete(u8),
    Move(u8, u8),
    Side,
    Merge,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let line = 0..6_u8;
    let step = prop_oneof![
        4 => (0..6_u8, vec(line, 0..12)).prop_map(|(file, lines)| Step::Write(file, lines)),
        1 => (0..6_u8).prop_map(Step::Delete),
        1 => (0..6_u8, 0..6_u8).prop_map(|(from, to)| Step::Move(from, to)),
        1 => Just(Step::Side),
        1 => Just(Step::Merge),
    ];
    vec(step, 1..16)
}

fn path(file: u8) -> String {
    if file.is_multiple_of(2) { format!("f{file}") } else { format!("d/e{file}") }
}

/// Makes the steps with git; what cannot be done is passed over.
fn play(steps: &[Step]) -> Past {
    let mut past = Past::begin();
    past.commit("Begin");
    for (round, step) in steps.iter().enumerate() {
        match step {
            Step::Write(file, lines) => {
                // Each file has its own alphabet, so that no two look alike by chance.
                let line =
                    |line: &u8| format!("{file} {line} {}\n", "word ".repeat(*line as usize));
                past.write(&path(*file), lines.iter().map(line).collect::<String>());
            }
            Step::Delete(file) => drop(std::fs::remove_file(past.folder().join(path(*file)))),
            Step::Move(from, to) => {
                let (from, to) = (past.folder().join(path(*from)), past.folder().join(path(*to)));
                std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
                let _ = std::fs::rename(from, to);
            }
            Step::Side => {
                past.git(&["checkout", "--quiet", "-B", "side", "HEAD~0"]);
                past.write("side", format!("{round}\n"));
                past.commit(&format!("Side {round}"));
                past.git(&["checkout", "--quiet", "main"]);
            }
            Step::Merge => {
                let sides = past.lines(&["branch", "--list", "side", "--no-merged", "main"]);
                if !sides.is_empty() {
                    past.merge("side");
                }
            }
        }
        past.commit(&format!("Round {round}"));
    }
    past
}

#[test]
fn what_the_server_says_of_a_history_is_what_git_says() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start());
    let cases = if std::env::var_os("TEST_LONG").is_some() { 200 } else { 12 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new_with_rng(config, rng()).run(&steps(), |steps| {
        let past = play(&steps);
        runtime.block_on(async {
            let repo = past.on(&server).await;
            check(&past, &repo).await;
        });
        Ok(())
    });
    result.expect("every history");
    runtime.block_on(server.stop());
}

fn rng() -> proptest::test_runner::TestRng {
    proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha)
}

async fn check(past: &Past, repo: &Repo) {
    let commits = past.lines(&["log", "--format=%H", "main"]);
    let found: Vec<_> = log(repo, "main", None, 7).await.into_iter().map(|it| it.id).collect();
    assert_eq!(found, commits);
    for file in 0..6 {
        let expected = past.lines(&["log", "--format=%H", "main", "--", &path(file)]);
        let found = log(repo, "main", Some(&path(file)), 3).await;
        let found: Vec<_> = found.into_iter().map(|it| it.id).collect();
        assert_eq!(found, expected, "{}", path(file));
    }
    for id in &commits {
        let parents = past.git(&["show", "--no-patch", "--format=%P", id]);
        if let Some(parent) = parents.split(' ').next().filter(|id| !id.is_empty()) {
            let found = commit(repo, id).await;
            diffs::check_patches(past, parent, id, &found.diff);
            patches::follow(past, repo, parent, id).await;
        }
        let entries = tree(repo, id, None, true, 4).await;
        let expected = past.git(&["ls-tree", "-rz", "--full-tree", id]);
        let expected: Vec<_> = expected.split_terminator('\0').collect();
        assert_eq!(trees::as_git(&entries), expected);
    }
}

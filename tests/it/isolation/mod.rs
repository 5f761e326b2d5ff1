//! Every operation by every kind of caller: who gets in, who is told no, and who is told
//! that there is nothing. The expectation of each cell follows from the rules below.

pub mod caller;
mod replay;
pub mod stage;

use repoplane::model::access::Role;
use repoplane::model::edit::CommitId;

use crate::operations::{self, Access, Operation, Targets};
use caller::{Caller, Holds};
use replay::{Answer, Recorder};
use stage::{Props, Stage};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Allowed,
    Unauthenticated,
    Forbidden,
    Invisible,
}

/// The whole of the access rules, as the contract's descriptions give them.
fn verdict(access: Access, caller: Caller) -> Verdict {
    use Verdict::{Allowed, Forbidden, Invisible, Unauthenticated};
    let by_role = |held: Option<Role>, needed| match held {
        None => Invisible,
        Some(held) if held < needed => Forbidden,
        Some(_) => Allowed,
    };
    match (access, caller.holds()) {
        (Access::Public, _) => Allowed,
        (_, Holds::Nothing) => Unauthenticated,
        (Access::Repo(needed), Holds::Account(held) | Holds::RepoToken(held)) => {
            by_role(held, needed)
        }
        (_, Holds::RepoToken(_)) => Forbidden,
        (Access::Account, Holds::Account(_)) => Allowed,
        (Access::Workspace(needed), Holds::Account(held)) => by_role(held, needed),
        (Access::WorkspaceMaker, _) if caller.owns_an_organisation() => Allowed,
        (Access::WorkspaceMaker, _) => Forbidden,
        (Access::TokenOwner, _) if caller == Caller::Owner => Allowed,
        (Access::TokenOwner, _) => Invisible,
    }
}

#[tokio::test]
async fn every_operation_answers_every_caller_by_the_rules() {
    let stage = Stage::start().await;
    let recorder = Recorder::start().await;
    let mut cells = 0;
    for operation in operations::all() {
        let (allowed, refused): (Vec<_>, Vec<_>) = Caller::ALL
            .into_iter()
            .partition(|caller| verdict(operation.access, *caller) == Verdict::Allowed);
        cells += refuse_each(&stage, &recorder, &operation, &refused).await;
        cells += allow_each(&stage, &recorder, &operation, &allowed).await;
    }
    println!("{cells} cells of the access matrix hold");
    assert_eq!(cells, operations::documented().len() * Caller::ALL.len());
    stage.stop().await;
}

/// Refused callers learn nothing and change nothing.
async fn refuse_each(
    stage: &Stage,
    recorder: &Recorder,
    operation: &Operation,
    callers: &[Caller],
) -> usize {
    let props = stage.prepare().await;
    let nothing = Stage::made_up();
    let (call, on_nothing) = (
        recorder.record(operation, props.targets).await,
        recorder.record(operation, nothing).await,
    );
    let before = stage.state(&props).await;
    for caller in callers {
        let cell = format!("{} by {caller:?}", operation.id);
        let credential = caller.credential(stage, &props);
        let answer = call.send(&stage.server, credential.as_deref()).await;
        match verdict(operation.access, *caller) {
            Verdict::Unauthenticated => assert_unauthenticated(&cell, &answer),
            Verdict::Forbidden => assert_eq!(answer.status, 403, "{cell}: {}", answer.body),
            Verdict::Invisible => {
                assert_eq!(answer.status, 404, "{cell}: {}", answer.body);
                let absent = on_nothing.send(&stage.server, credential.as_deref()).await;
                assert_eq!(answer, absent, "{cell}: differs from what is absent");
            }
            Verdict::Allowed => unreachable!("these callers are refused"),
        }
        assert_documented(&cell, operation, &answer);
    }
    assert_eq!(stage.state(&props).await, before, "{} changed something", operation.id);
    callers.len()
}

/// Each allowed call finds everything in place, whatever those before it did; reads do nothing to it.
async fn allow_each(
    stage: &Stage,
    recorder: &Recorder,
    operation: &Operation,
    callers: &[Caller],
) -> usize {
    let mut kept: Option<Props> = None;
    for caller in callers {
        let props = match kept.take() {
            Some(props) => props,
            None => stage.prepare().await,
        };
        let call = recorder.record(operation, props.targets).await;
        let answer = call.send(&stage.server, caller.credential(stage, &props).as_deref()).await;
        let cell = format!("{} by {caller:?}", operation.id);
        assert!((200..300).contains(&answer.status), "{cell}: {} {}", answer.status, answer.body);
        assert_documented(&cell, operation, &answer);
        kept = Some(props).filter(|_| call.is_read());
    }
    callers.len()
}

fn assert_unauthenticated(cell: &str, answer: &Answer) {
    assert_eq!(answer.status, 401, "{cell}: {}", answer.body);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{cell}");
}

fn assert_documented(cell: &str, operation: &Operation, answer: &Answer) {
    let statuses = &operations::documented()[operation.id];
    assert!(statuses.contains(&answer.status), "{cell}: {} is not documented", answer.status);
}

impl Stage {
    /// Targets of nothing at all.
    fn made_up() -> Targets {
        let id = uuid::Uuid::new_v4;
        Targets {
            workspace: id(),
            empty_workspace: id(),
            member: id(),
            candidate: id(),
            token: id(),
            repo: id(),
            repo_token: id(),
            delivery: id(),
            repo_delivery: id(),
            hook: 9,
            commit: CommitId::from_bytes([7; CommitId::BYTES]),
            bucket: id(),
            free_bucket: id(),
            storage_repo: id(),
            access_key: id(),
            job: id(),
            import: id(),
            ai_llm: id(),
            ai_key: id(),
        }
    }
}

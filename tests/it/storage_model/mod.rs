//! Random changes of buckets, storage repos and access keys, each compared with a plain model, and
//! pairs of changes of which only one may win.
//!
//! `TEST_LONG=1` runs fifty times as many cases.

mod draw;
mod model;
mod races;
mod served;

use std::collections::BTreeMap;

use draw::Step;
use model::{CAUSES, Cause, Op, World};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use served::Served;

use crate::support::Server;

/// How often each cause of a refusal came up; `None` is none.
type Tally = BTreeMap<Option<Cause>, usize>;

/// Takes one step; why it was refused, if it was.
async fn check(served: &mut Served, step: Step, world: &mut World) -> Option<Cause> {
    let op = step.aim(world);
    let (answer, expected) = (served.send(&op, world).await, world.after(&op, served.next()));
    let story = || format!("{op:?} on {world:?}");
    let cause = match (answer, expected) {
        (Ok(made), Ok(after)) => {
            let creates =
                matches!(op, Op::CreateBucket(_) | Op::CreateRepo { .. } | Op::CreateKey { .. });
            assert_eq!(made.is_some(), creates);
            made.into_iter().for_each(|id| served.made(id));
            *world = after;
            None
        }
        (Err(cause), Err(broken)) if broken.contains(&cause) => Some(cause),
        (answer, expected) => panic!("{}: {answer:?}, expected {expected:?}", story()),
    };
    assert_eq!(served.world().await, *world, "after {op:?}, answered with {cause:?}");
    cause
}

#[test]
fn storage_equals_the_model() {
    let long = std::env::var("TEST_LONG").is_ok_and(|value| value == "1");
    let cases = if long { 2_500 } else { 50 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (server, cloud) = runtime.block_on(Server::beside_a_cloud());
    let tally = std::cell::RefCell::new(Tally::new());
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let steps = prop::collection::vec(draw::step(), 1..60);
    let checked = TestRunner::new_with_rng(config, rng).run(&steps, |steps| {
        runtime.block_on(async {
            // Every case finds an organisation without anything in it.
            let token = server.other_org(&uuid::Uuid::new_v4().to_string()).await;
            let mut served = Served::start(server.client(&token), &cloud.url).await;
            let mut world = World::default();
            for step in draw::start().into_iter().chain(steps) {
                let cause = check(&mut served, step, &mut world).await;
                *tally.borrow_mut().entry(cause).or_default() += 1;
            }
        });
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
    let tally = tally.into_inner();
    println!("{tally:?}");
    for outcome in CAUSES.map(Some).into_iter().chain([None]) {
        assert!(tally.get(&outcome).is_some_and(|times| *times > 2), "{outcome:?} came up seldom");
    }
    runtime.block_on(server.stop());
}

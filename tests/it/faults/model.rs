//! Random requests while random buckets fail, held against a plain model: an acknowledged write is
//! there, one that was not is all there or not at all, and what is deleted stays away.
//!
//! `TEST_LONG=1` runs fifty times as many cases.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use repoplane::model::access::Role;
use repoplane::service::objects::changing::{self, CopyObject};
use repoplane::service::objects::listing::ListRequest;
use repoplane::service::objects::{Conditions, ObjectError};

use super::power;
use super::stage::{Broken, Known, content};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

const KEYS: [&str; 4] = ["a", "b", "b/c", "é"];

#[derive(Clone, Debug)]
enum Step {
    Put(&'static str, usize),
    /// A bucket goes away in the middle of it, and stays away.
    PutDuring(&'static str, usize, Point),
    Get(&'static str),
    Delete(&'static str),
    List,
    Tag(&'static str),
    Copy(&'static str, &'static str),
    Scrub,
    Restart,
    /// The newest write loses what nobody waited for.
    PowerCut,
    Fail(usize, On, Fault),
    Fall(usize),
    Recover(usize),
    /// Harms what one bucket has of a key, when every bucket has it.
    Harm(usize, &'static str, Harm),
}

#[derive(Clone, Copy, Debug)]
enum Point {
    Before,
    Body,
    Answer,
}

#[derive(Clone, Copy, Debug)]
enum Harm {
    Lose,
    Rot,
    Swap,
    SwapMarked,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || select(&KEYS[..]);
    let member = || 0..3_usize;
    let size = select(&[0, 1, 5_000, 300_000][..]);
    let point = select(&[Point::Before, Point::Body, Point::Answer][..]);
    let harm = select(&[Harm::Lose, Harm::Rot, Harm::Swap, Harm::SwapMarked][..]);
    let on = select(&[On::Put, On::Get, On::Head, On::Delete, On::Anything][..]);
    let fault = prop_oneof![
        6 => Just(Fault::Refuses),
        2 => Just(Fault::Full),
        1 => Just(Fault::SaysNothing),
        1 => Just(Fault::Hangs),
    ];
    prop_oneof![
        8 => (key(), size).prop_map(|(key, size)| Step::Put(key, size)),
        3 => (key(), member(), point).prop_map(|(key, member, at)| Step::PutDuring(key, member, at)),
        6 => key().prop_map(Step::Get),
        4 => key().prop_map(Step::Delete),
        2 => Just(Step::List),
        1 => key().prop_map(Step::Tag),
        2 => (key(), key()).prop_map(|(from, to)| Step::Copy(from, to)),
        1 => Just(Step::Scrub),
        1 => Just(Step::Restart),
        2 => Just(Step::PowerCut),
        4 => (member(), on, fault).prop_map(|(member, on, fault)| Step::Fail(member, on, fault)),
        2 => member().prop_map(Step::Fall),
        5 => member().prop_map(Step::Recover),
        1 => (member(), key(), harm).prop_map(|(member, key, harm)| Step::Harm(member, key, harm)),
    ]
}

/// What each key may hold. More than one, after a write of which nobody heard how it ended.
type Possible = BTreeMap<&'static str, BTreeSet<Option<Vec<u8>>>>;

struct World {
    possible: Possible,
    /// Makes every content another one.
    written: usize,
}

impl World {
    fn may(&mut self, key: &'static str) -> &mut BTreeSet<Option<Vec<u8>>> {
        self.possible.get_mut(key).expect("a key")
    }

    /// What came of a change.
    fn changed<T>(&mut self, key: &'static str, to: Option<Vec<u8>>, done: Result<T, ObjectError>) {
        match done {
            Ok(_) => *self.may(key) = BTreeSet::from([to]),
            Err(ObjectError::Unavailable(_) | ObjectError::Busy) => drop(self.may(key).insert(to)),
            Err(error) => panic!("{key}: {error}"),
        }
    }

    fn next(&mut self, key: &str, size: usize) -> Vec<u8> {
        self.written += 1;
        content(&format!("{key}{}", self.written), size)
    }

    fn read(&mut self, key: &'static str, read: &Result<Vec<u8>, ObjectError>) {
        let now = match read {
            Ok(now) => Some(now.clone()),
            Err(ObjectError::NoSuchKey) => None,
            Err(ObjectError::Unavailable(_) | ObjectError::Busy) => return,
            Err(error) => panic!("{key}: {error}"),
        };
        assert!(self.may(key).contains(&now), "{key} is {:?} long", now.map(|now| now.len()));
    }

    fn listed(&self, keys: &[String]) {
        for (key, possible) in &self.possible {
            let listed = keys.iter().any(|other| other == key);
            let allowed = possible.iter().any(|content| content.is_some() == listed);
            assert!(allowed, "{key} listed: {listed}");
        }
    }
}

async fn list(broken: &Broken<'_>, world: &World) {
    match broken.stage.list(&ListRequest { limit: 100, ..Default::default() }).await {
        Ok(listed) => {
            let keys: Vec<_> = listed.objects.into_iter().map(|object| object.key).collect();
            world.listed(&keys);
        }
        // After a power cut, as long as the buckets do not answer.
        Err(ObjectError::Unavailable(_)) => {}
        Err(error) => panic!("a list: {error}"),
    }
}

async fn take(broken: &Broken<'_>, world: &mut World, step: &Step) {
    let cloud = |member: &usize| &broken.clouds[member % broken.clouds.len()];
    match step {
        Step::Put(key, size) => {
            let new = world.next(key, *size);
            let put = broken.put(key, &new).await;
            world.changed(key, Some(new), put);
        }
        Step::PutDuring(key, member, point) => {
            let (new, cloud) = (world.next(key, 5_000), cloud(member));
            cloud.recover();
            broken.calm().await;
            let gate = match point {
                Point::Before => cloud.hold_before(On::Put),
                Point::Body => cloud.hold_body(On::Put),
                Point::Answer => cloud.hold_answer(On::Put),
            };
            let goes = async {
                gate.reached().await;
                cloud.fall();
                gate.open();
            };
            let put = {
                let put = broken.put(key, &new);
                tokio::pin!(put);
                // The bucket may not take part in it at all.
                tokio::select! {
                    put = &mut put => put,
                    () = goes => put.await,
                }
            };
            world.changed(key, Some(new), put);
        }
        Step::Get(key) => world.read(key, &broken.stage.get(key).await),
        Step::Delete(key) => {
            let deleted = broken.stage.delete(key).await;
            world.changed(key, None, deleted);
        }
        Step::List => list(broken, world).await,
        Step::Tag(key) => tag(broken, key).await,
        Step::Copy(from, to) => copy(broken, world, from, to).await,
        Step::Scrub => {
            broken.mend().await;
            broken.scrub(true).await;
        }
        Step::Restart | Step::PowerCut => unreachable!("done outside"),
        Step::Fail(member, on, fault) => cloud(member).fail(*on, fault.clone()),
        Step::Fall(member) => cloud(member).fall(),
        Step::Recover(member) => {
            cloud(member).recover();
            broken.calm().await;
        }
        Step::Harm(member, key, harm) => {
            broken.mend().await;
            let cloud = cloud(member);
            // The content of the only copy would be gone.
            let Some(held) = cloud.get(key).filter(|held| !held.is_empty()) else { return };
            if broken.clouds.len() > 1 {
                match harm {
                    Harm::Lose => cloud.lose(key),
                    Harm::Rot => cloud.rot(key),
                    Harm::Swap => cloud.swap(key, b"another", false),
                    Harm::SwapMarked => cloud.swap(key, &vec![7; held.len()], true),
                }
                // Whoever holds the last good copy must not be harmed as well.
                broken.scrub(true).await;
            }
        }
    }
}

async fn tag(broken: &Broken<'_>, key: &'static str) {
    let session = broken.stage.session().await;
    let space = session.space("bucket-0", Role::Write).expect("a space");
    let tags = vec![("name".to_owned(), "value".to_owned())];
    match changing::set_tags(broken.stage.services(), &session, &space, key, tags).await {
        Ok(()) | Err(ObjectError::NoSuchKey | ObjectError::Busy | ObjectError::Unavailable(_)) => {}
        Err(error) => panic!("{key}: {error}"),
    }
}

async fn copy(broken: &Broken<'_>, world: &mut World, from: &'static str, to: &'static str) {
    let session = broken.stage.session().await;
    let space = session.space("bucket-0", Role::Write).expect("a space");
    let wanted = CopyObject {
        key: to.to_owned(),
        conditions: Conditions::default(),
        attributes: Some(Default::default()),
        tags: None,
        checksum: None,
    };
    let source = (&space, from, &Conditions::default());
    let copied = changing::copy(broken.stage.services(), &session, source, &space, wanted).await;
    let sources: Vec<_> = world.may(from).iter().flatten().cloned().collect();
    match copied {
        Ok(object) => {
            let right = |source: &Vec<u8>| source.len() as u64 == object.size;
            *world.may(to) = sources.into_iter().filter(right).map(Some).collect();
            assert!(!world.may(to).is_empty(), "a copy of what was not there");
        }
        Err(ObjectError::NoSuchKey) => assert!(world.may(from).contains(&None)),
        Err(ObjectError::Unavailable(_) | ObjectError::Busy | ObjectError::BadContent(_)) => {
            world.may(to).extend(sources.into_iter().map(Some));
        }
        Err(error) => panic!("{from} to {to}: {error}"),
    }
}

async fn run(mode: &str, buckets: usize, steps: Vec<Step>) {
    let (mut server, clouds) = Server::beside_faulty_clouds(buckets).await;
    let possible = KEYS.map(|key| (key, BTreeSet::from([None])));
    let mut world = World { possible: possible.into(), written: 0 };
    let mut made = Broken::over(&server, &clouds, mode).await.made();
    power::watch(&server).await;
    let ends = |step: &Step| matches!(step, Step::Restart | Step::PowerCut);
    for steps in steps.split_inclusive(ends) {
        let broken = Broken::again(&server, &clouds, made);
        for step in steps.iter().filter(|step| !ends(step)) {
            take(&broken, &mut world, step).await;
        }
        made = broken.made();
        match steps.last() {
            Some(Step::Restart) => server = server.restart().await,
            Some(Step::PowerCut) => {
                let cut = |folder: &_| {
                    power::cut(folder);
                };
                server = server.restart_after(cut).await;
            }
            _ => {}
        }
    }
    let broken = Broken::again(&server, &clouds, made);
    broken.mend().await;
    let mut known = Known::new();
    for key in KEYS {
        let read = broken.stage.get(key).await;
        assert!(!matches!(read, Err(ObjectError::Unavailable(_))), "{key}: {read:?}");
        world.read(key, &read);
        known.extend(read.ok().map(|content| (key.to_owned(), content)));
    }
    world.listed(&broken.stage.keys().await);
    broken.check(&known).await;
    server.stop().await;
}

fn modelled(mode: &'static str, buckets: usize) {
    let long = std::env::var("TEST_LONG").is_ok_and(|value| value == "1");
    let cases = if long { 400 } else { 8 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let steps = prop::collection::vec(step(), 1..30);
    let checked = TestRunner::new_with_rng(config, rng).run(&steps, |steps| {
        runtime.block_on(run(mode, buckets, steps));
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn a_power_cut_during_a_write_over_another_equals_the_model() {
    for (mode, buckets) in [("NORMAL", 1), ("MIRROR", 2)] {
        for point in [Point::Before, Point::Body, Point::Answer] {
            let steps = vec![Step::Put("b/c", 0), Step::PutDuring("b/c", 0, point), Step::PowerCut];
            run(mode, buckets, steps).await;
        }
    }
}

#[test]
fn a_mirror_of_two_equals_the_model() {
    modelled("MIRROR", 2);
}

#[test]
fn a_mirror_of_three_equals_the_model() {
    modelled("MIRROR", 3);
}

#[test]
fn a_backup_equals_the_model() {
    modelled("BACKUP", 2);
}

#[test]
fn a_single_bucket_equals_the_model() {
    modelled("NORMAL", 1);
}

//! Draws requests at random. A drawn step knows nothing of what is there; [`Step::aim`] points it at
//! that, mostly, so that most steps get as far as the rules.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::model::{Bucket, Id, Link, Mode, Op, World};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const CLOUDS: [&str; 3] = ["x", "y", "z"];
const FOLDERS: [&str; 4] = ["", "", "in", "/in/"];

/// Which of what is there. One in a few means something that is not.
type Pick = u8;

#[derive(Clone, Copy, Debug)]
enum Masters {
    First,
    Nobody,
    Everybody,
}

#[derive(Clone, Debug)]
pub struct Links {
    buckets: Vec<(Pick, &'static str)>,
    masters: Masters,
}

#[derive(Clone, Debug)]
pub enum Step {
    CreateBucket(&'static str, &'static str, usize),
    UpdateBucket(Pick, Option<&'static str>, Option<&'static str>, Option<usize>),
    DeleteBucket(Pick),
    CreateRepo(&'static str, Mode, usize, Links),
    UpdateRepo(Pick, Change),
    CheckRepo(Pick, Option<Mode>, Option<Links>),
    DeleteRepo(Pick),
    CreateKey(Pick, &'static str, &'static str),
    UpdateKey(Pick, Pick, &'static str, &'static str),
    DeleteKey(Pick, Pick),
}

/// `None` is as it was.
#[derive(Clone, Debug)]
pub struct Change {
    name: Option<&'static str>,
    mode: Option<Mode>,
    workspace: Option<usize>,
    links: Option<Links>,
    disabled: Option<bool>,
}

fn name() -> impl Strategy<Value = &'static str> {
    select(&NAMES[..])
}

fn repo_name() -> impl Strategy<Value = &'static str> {
    select(&NAMES[..2])
}

fn cloud() -> impl Strategy<Value = &'static str> {
    select(&CLOUDS[..])
}

fn workspace() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0), 1 => Just(1)]
}

fn mode() -> impl Strategy<Value = Mode> {
    select(vec![Mode::Normal, Mode::Normal, Mode::Mirror, Mode::Backup])
}

fn access() -> impl Strategy<Value = &'static str> {
    select(vec!["READ", "WRITE", "ADMIN"])
}

fn links() -> impl Strategy<Value = Links> {
    let masters = prop_oneof![6 => Just(Masters::First), 1 => Just(Masters::Nobody), 1 => Just(Masters::Everybody)];
    let buckets = prop::collection::vec((any::<Pick>(), select(&FOLDERS[..])), 0..4);
    (buckets, masters).prop_map(|(buckets, masters)| Links { buckets, masters })
}

fn seldom<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.3, value)
}

fn change() -> impl Strategy<Value = Change> {
    let links = prop::option::weighted(0.7, links());
    let parts =
        (seldom(repo_name()), seldom(mode()), seldom(workspace()), links, seldom(any::<bool>()));
    parts.prop_map(|(name, mode, workspace, links, disabled)| Change {
        name,
        mode,
        workspace,
        links,
        disabled,
    })
}

/// What every case begins with.
pub fn start() -> [Step; 4] {
    let bucket = |n: usize, at: usize| Step::CreateBucket(NAMES[n], CLOUDS[n], at);
    let links = Links { buckets: vec![(0, FOLDERS[0])], masters: Masters::First };
    [bucket(0, 0), bucket(1, 0), bucket(2, 1), Step::CreateRepo(NAMES[0], Mode::Normal, 0, links)]
}

pub fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let pick = any::<Pick>;
    prop_oneof![
        4 => (name(), cloud(), workspace()).prop_map(|(name, cloud, at)| CreateBucket(name, cloud, at)),
        5 => (pick(), seldom(name()), seldom(cloud()), seldom(0..2_usize))
            .prop_map(|(which, name, cloud, at)| UpdateBucket(which, name, cloud, at)),
        2 => pick().prop_map(DeleteBucket),
        5 => (repo_name(), mode(), workspace(), links())
            .prop_map(|(name, mode, at, links)| CreateRepo(name, mode, at, links)),
        8 => (pick(), change()).prop_map(|(which, change)| UpdateRepo(which, change)),
        3 => (pick(), seldom(mode()), seldom(links()))
            .prop_map(|(which, mode, links)| CheckRepo(which, mode, links)),
        1 => pick().prop_map(DeleteRepo),
        3 => (pick(), name(), access()).prop_map(|(repo, name, access)| CreateKey(repo, name, access)),
        1 => (pick(), pick(), name(), access())
            .prop_map(|(repo, key, name, access)| UpdateKey(repo, key, name, access)),
        2 => (pick(), pick()).prop_map(|(repo, key)| DeleteKey(repo, key)),
    ]
}

/// One of those there are; the last choice is none of them.
fn one_of<T>(there: &BTreeMap<Id, T>, pick: Pick) -> Option<Id> {
    // Eight times each, so that a step seldom goes astray.
    let choices = 8 * there.len();
    let choice = usize::from(pick) % (choices + 1);
    there.keys().nth(choice.checked_rem(there.len())?).copied().filter(|_| choice < choices)
}

impl Links {
    /// Mostly at buckets of the workspace.
    fn aim(self, world: &World, workspace: usize) -> Vec<Link> {
        let Self { buckets, masters } = self;
        let mut near = world.buckets.clone();
        near.retain(|_, bucket| bucket.workspace == workspace);
        let choose = |pick: Pick| one_of(if pick < 230 { &near } else { &world.buckets }, pick);
        let link = |(place, (pick, folder)): (usize, (Pick, &str))| {
            let master = match masters {
                Masters::First => place == 0,
                Masters::Nobody => false,
                Masters::Everybody => true,
            };
            Link { bucket: choose(pick), folder: folder.to_owned(), master }
        };
        buckets.into_iter().enumerate().map(link).collect()
    }
}

impl Step {
    pub fn aim(self, world: &World) -> Op {
        let (bucket, repo) =
            (|pick| one_of(&world.buckets, pick), |pick| one_of(&world.repos, pick));
        let keyed = |pick, key| {
            let repo = repo(pick);
            (repo, repo.and_then(|repo| one_of(&world.repos[&repo].keys, key)))
        };
        match self {
            Self::CreateBucket(name, cloud, workspace) => {
                let (name, cloud) = (name.to_owned(), cloud.to_owned());
                Op::CreateBucket(Bucket { name, cloud, workspace })
            }
            Self::UpdateBucket(pick, name, cloud, workspace) => {
                Op::UpdateBucket { id: bucket(pick), name, cloud, workspace }
            }
            Self::DeleteBucket(pick) => Op::DeleteBucket(bucket(pick)),
            Self::CreateRepo(name, mode, workspace, links) => {
                Op::CreateRepo { name, mode, workspace, links: links.aim(world, workspace) }
            }
            Self::UpdateRepo(pick, change) => {
                let Change { name, mode, workspace, links, disabled } = change;
                let id = repo(pick);
                let old = id.map(|id| &world.repos[&id]);
                let kept = old.map_or(NAMES[0], |old| &old.name);
                let name = name.unwrap_or(kept).to_owned();
                let mode = mode.or(old.map(|old| old.mode)).unwrap_or(Mode::Normal);
                let at = workspace.or(old.map(|old| old.workspace)).unwrap_or_default();
                let links = links.map(|links| links.aim(world, at));
                Op::UpdateRepo { id, name, mode, workspace, links, disabled }
            }
            Self::CheckRepo(pick, mode, links) => {
                let id = repo(pick);
                let old = id.map(|id| &world.repos[&id]);
                let mode = mode.or(old.map(|old| old.mode)).unwrap_or(Mode::Normal);
                let at = old.map_or(0, |old| old.workspace);
                Op::CheckRepo { id, mode, links: links.map(|links| links.aim(world, at)) }
            }
            Self::DeleteRepo(pick) => Op::DeleteRepo(repo(pick)),
            Self::CreateKey(pick, name, access) => Op::CreateKey { repo: repo(pick), name, access },
            Self::UpdateKey(pick, key, name, access) => {
                let (repo, key) = keyed(pick, key);
                Op::UpdateKey { repo, key, name, access }
            }
            Self::DeleteKey(pick, key) => {
                let (repo, key) = keyed(pick, key);
                Op::DeleteKey { repo, key }
            }
        }
    }
}

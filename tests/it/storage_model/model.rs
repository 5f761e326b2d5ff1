//! What the contract says of buckets, storage repos and access keys, said a second time and as
//! plainly as possible. Says which rules a request breaks, never which of them comes first.

use std::collections::{BTreeMap, BTreeSet};

use Mode::Normal;

/// Numbers in order of creation, over everything that was ever made.
pub type Id = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Normal,
    Mirror,
    Backup,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    /// What its cloud calls it.
    pub cloud: String,
    pub workspace: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub bucket: Id,
    pub folder: String,
    pub master: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    pub name: String,
    pub mode: Mode,
    pub workspace: usize,
    pub disabled: bool,
    pub members: Vec<Member>,
    /// Name and access.
    pub keys: BTreeMap<Id, (String, &'static str)>,
}

/// What is not deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub buckets: BTreeMap<Id, Bucket>,
    pub repos: BTreeMap<Id, Repo>,
}

/// A bucket as a request names it; `None` is none that there is.
#[derive(Clone, Debug)]
pub struct Link {
    pub bucket: Option<Id>,
    /// Slashes at its ends count for nothing.
    pub folder: String,
    pub master: bool,
}

/// A request. Where an `Id` is `None`, it names something that is not there.
#[derive(Clone, Debug)]
pub enum Op {
    CreateBucket(Bucket),
    UpdateBucket {
        id: Option<Id>,
        name: Option<&'static str>,
        cloud: Option<&'static str>,
        workspace: Option<usize>,
    },
    DeleteBucket(Option<Id>),
    CreateRepo {
        name: &'static str,
        mode: Mode,
        workspace: usize,
        links: Vec<Link>,
    },
    UpdateRepo {
        id: Option<Id>,
        name: String,
        mode: Mode,
        workspace: Option<usize>,
        links: Option<Vec<Link>>,
        disabled: Option<bool>,
    },
    /// Asks whether an update would pass.
    CheckRepo {
        id: Option<Id>,
        mode: Mode,
        links: Option<Vec<Link>>,
    },
    DeleteRepo(Option<Id>),
    CreateKey {
        repo: Option<Id>,
        name: &'static str,
        access: &'static str,
    },
    UpdateKey {
        repo: Option<Id>,
        key: Option<Id>,
        name: &'static str,
        access: &'static str,
    },
    DeleteKey {
        repo: Option<Id>,
        key: Option<Id>,
    },
}

/// Status and `error_code`.
pub type Cause = (u16, Option<&'static str>);
pub type Causes = BTreeSet<Cause>;

const NOT_FOUND: Cause = (404, Some("NOT_FOUND"));
const NO_SUCH: Cause = (404, None);
const FORBIDDEN: Cause = (403, None);
const INVALID: Cause = (400, None);
const NAME_USED: Cause = (400, Some("NAME_ALREADY_USED"));
const MASTERS: Cause = (400, Some("MIRROR_MASTER_UNIT_COUNT_INVALID"));
const NO_MASTER: Cause = (400, Some("MIRROR_MASTER_UNIT_MISSING"));
const ELSEWHERE: Cause = (400, Some("MIRROR_UNIT_ALREADY_IN_OTHER_REPO"));
const FOLDER_USED: Cause = (400, Some("NORMAL_UNIT_FOLDER_ALREADY_USED"));
const CANNOT_UNLINK: Cause = (400, Some("NORMAL_UNIT_FOLDER_CANNOT_DELETE"));
const CANNOT_EDIT: Cause = (400, Some("NORMAL_UNIT_CANNOT_EDIT_FOLDER"));

/// All that can come of a request besides success.
pub const CAUSES: [Cause; 11] = [
    NOT_FOUND,
    NO_SUCH,
    FORBIDDEN,
    INVALID,
    NAME_USED,
    MASTERS,
    NO_MASTER,
    ELSEWHERE,
    FOLDER_USED,
    CANNOT_UNLINK,
    CANNOT_EDIT,
];

impl World {
    pub fn holders(&self, bucket: Id) -> BTreeSet<Id> {
        let holds = |repo: &Repo| repo.members.iter().any(|member| member.bucket == bucket);
        self.repos.iter().filter(|(_, repo)| holds(repo)).map(|(id, _)| *id).collect()
    }

    /// The buckets that a new repo could mirror.
    pub fn available(&self) -> Vec<Id> {
        let free = |id: &Id| self.holders(*id).iter().all(|repo| self.repos[repo].mode == Normal);
        self.buckets.keys().copied().filter(free).collect()
    }

    /// What there is after the request, where something new gets `new` as its id; or every rule
    /// that it breaks.
    pub fn after(&self, op: &Op, new: Id) -> Result<Self, Causes> {
        let mut next = self.clone();
        match op {
            Op::CreateBucket(bucket) => return self.with_bucket(new, bucket.clone()),
            Op::UpdateBucket { id, name, cloud, workspace } => {
                let id = living(*id, &self.buckets, NO_SUCH)?;
                let old = &self.buckets[&id];
                let text = |new: &Option<&str>, old: &String| new.unwrap_or(old).to_owned();
                let (name, cloud) = (text(name, &old.name), text(cloud, &old.cloud));
                let workspace = workspace.unwrap_or(old.workspace);
                return self.with_bucket(id, Bucket { name, cloud, workspace });
            }
            Op::DeleteBucket(id) => {
                let id = living(*id, &self.buckets, NO_SUCH)?;
                if !self.holders(id).is_empty() {
                    return Err(Causes::from([FORBIDDEN]));
                }
                next.buckets.remove(&id);
            }
            Op::CreateRepo { name, mode, workspace, links } => {
                let (name, members, keys) = ((*name).to_owned(), vec![], BTreeMap::new());
                let (mode, workspace) = (*mode, *workspace);
                let repo = Repo { name, mode, workspace, disabled: false, members, keys };
                return self.with_repo(new, repo, Some(links));
            }
            Op::UpdateRepo { id, name, mode, workspace, links, disabled } => {
                let id = living(*id, &self.repos, NOT_FOUND)?;
                let mut repo = self.repos[&id].clone();
                (repo.name, repo.mode) = (name.clone(), *mode);
                repo.workspace = workspace.unwrap_or(repo.workspace);
                repo.disabled = disabled.unwrap_or(repo.disabled);
                return self.with_repo(id, repo, links.as_ref());
            }
            Op::CheckRepo { id, mode, links } => {
                let id = living(*id, &self.repos, NOT_FOUND)?;
                let repo = Repo { mode: *mode, ..self.repos[&id].clone() };
                self.with_repo(id, repo, links.as_ref())?;
            }
            Op::DeleteRepo(id) => {
                next.repos.remove(&living(*id, &self.repos, NOT_FOUND)?);
            }
            Op::CreateKey { repo, name, access } => {
                let id = living(*repo, &self.repos, NOT_FOUND)?;
                if self.repos[&id].disabled {
                    return Err(Causes::from([FORBIDDEN]));
                }
                next.keys(id).insert(new, ((*name).to_owned(), access));
            }
            Op::UpdateKey { repo, key, name, access } => {
                let id = living(*repo, &self.repos, NOT_FOUND)?;
                let key = living(*key, &self.repos[&id].keys, NO_SUCH)?;
                next.keys(id).insert(key, ((*name).to_owned(), access));
            }
            Op::DeleteKey { repo, key } => {
                let id = living(*repo, &self.repos, NOT_FOUND)?;
                let key = living(*key, &self.repos[&id].keys, NO_SUCH)?;
                next.keys(id).remove(&key);
            }
        }
        Ok(next)
    }

    fn with_bucket(&self, id: Id, bucket: Bucket) -> Result<Self, Causes> {
        let mut next = self.clone();
        let old = next.buckets.insert(id, bucket.clone());
        let moved = old.is_some_and(|old| old.workspace != bucket.workspace);
        let mut others = self.buckets.iter().filter(|(other, _)| **other != id);
        let mut broken = Causes::new();
        broken.extend(others.any(|(_, other)| other.name == bucket.name).then_some(NAME_USED));
        broken.extend((moved && !self.holders(id).is_empty()).then_some(INVALID));
        broken.extend(next.has_namesake(id).then_some(FOLDER_USED));
        if broken.is_empty() { Ok(next) } else { Err(broken) }
    }

    /// Without `links`, what is linked stays.
    fn with_repo(&self, id: Id, repo: Repo, links: Option<&Vec<Link>>) -> Result<Self, Causes> {
        let kept = || repo.members.iter().cloned().map(Link::from).collect();
        let links = links.cloned().unwrap_or_else(kept);
        let repo = Repo { members: self.members(&links), ..repo };
        let mut broken = self.broken_by(&repo, id, &links);
        if let Some(old) = self.repos.get(&id) {
            broken.extend(guarded(old, &repo));
        }
        let mut next = self.clone();
        next.repos.insert(id, repo);
        if broken.is_empty() { Ok(next) } else { Err(broken) }
    }

    fn keys(&mut self, repo: Id) -> &mut BTreeMap<Id, (String, &'static str)> {
        &mut self.repos.get_mut(&repo).expect("it lives").keys
    }

    /// Whether a NORMAL repo holds two buckets by one name, one of which is `bucket`.
    fn has_namesake(&self, bucket: Id) -> bool {
        let cloud = |member: &Member| &self.buckets[&member.bucket].cloud;
        self.holders(bucket).iter().map(|id| &self.repos[id]).any(|repo| {
            let others = repo.members.iter().filter(|member| member.bucket != bucket);
            repo.mode == Normal
                && others.map(cloud).any(|name| *name == self.buckets[&bucket].cloud)
        })
    }

    /// The links to what is there.
    fn members(&self, links: &[Link]) -> Vec<Member> {
        let there = links.iter().filter_map(|link| {
            let bucket = link.bucket.filter(|id| self.buckets.contains_key(id))?;
            let folder = link.folder.trim_matches('/').to_owned();
            Some(Member { bucket, folder, master: link.master })
        });
        there.collect()
    }

    fn broken_by(&self, repo: &Repo, id: Id, links: &[Link]) -> Causes {
        let mut broken = Causes::new();
        let mut breaks = |rule: Cause, broken_now: bool| {
            broken.extend(broken_now.then_some(rule));
        };
        let others =
            || self.repos.iter().filter(|(other, _)| **other != id).map(|(_, other)| other);
        let place = |repo: &Repo| (repo.workspace, repo.name.clone());
        breaks(NAME_USED, others().any(|other| place(other) == place(repo)));

        let away = |member: &Member| self.buckets[&member.bucket].workspace != repo.workspace;
        breaks(NOT_FOUND, repo.members.len() < links.len() || repo.members.iter().any(away));

        let masters = links.iter().filter(|link| link.master).count();
        let shared = repo.mode != Normal;
        breaks(MASTERS, shared && masters > 1);
        breaks(NO_MASTER, shared && masters == 0 && !links.is_empty());
        breaks(ELSEWHERE, shared && repeats(repo.members.iter().map(|member| member.bucket)));
        let clouds = repo.members.iter().map(|member| &self.buckets[&member.bucket].cloud);
        breaks(FOLDER_USED, !shared && repeats(clouds));

        for member in &repo.members {
            for other in others() {
                for used in other.members.iter().filter(|used| used.bucket == member.bucket) {
                    let alone = shared || other.mode != Normal;
                    breaks(ELSEWHERE, alone);
                    breaks(FOLDER_USED, !alone && used.folder == member.folder);
                }
            }
        }
        broken
    }
}

impl From<Member> for Link {
    fn from(member: Member) -> Self {
        let Member { bucket, folder, master } = member;
        Self { bucket: Some(bucket), folder, master }
    }
}

/// As long as a NORMAL repo has keys, its buckets and their folders stay.
fn guarded(old: &Repo, new: &Repo) -> Causes {
    let mut broken = Causes::new();
    if old.mode == Normal && !old.keys.is_empty() {
        for was in &old.members {
            let mut kept = new.members.iter().filter(|member| member.bucket == was.bucket);
            broken.extend(kept.clone().next().is_none().then_some(CANNOT_UNLINK));
            broken.extend(kept.any(|member| member.folder != was.folder).then_some(CANNOT_EDIT));
        }
    }
    broken
}

fn living<T>(id: Option<Id>, all: &BTreeMap<Id, T>, absent: Cause) -> Result<Id, Causes> {
    id.filter(|id| all.contains_key(id)).ok_or_else(|| Causes::from([absent]))
}

fn repeats<T: Ord>(mut items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.any(|item| !seen.insert(item))
}

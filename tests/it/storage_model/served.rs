//! An organisation on a server: sends what the model says, and reads back what is there.

use std::collections::{BTreeMap, BTreeSet};

use repoplane_client::{Client, Error, ResponseValue, types};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Bucket, CAUSES, Cause, Id, Link, Member, Mode, Op, Repo, World};

pub struct Served {
    pub client: Client,
    pub workspaces: [Uuid; 2],
    /// Where the buckets are.
    pub cloud: String,
    /// Of everything that was ever made, in order.
    ids: Vec<Uuid>,
}

/// Somebody else was faster, which only happens if there is somebody else.
pub const CONFLICT: Cause = (409, None);

/// The id of what is new, if anything is.
pub type Answer = Result<Option<Uuid>, Cause>;

impl Served {
    pub async fn start(client: Client, cloud: &str) -> Self {
        let list = client.list_workspaces().send().await.expect("workspaces").into_inner();
        let first = list.workspaces[0].id;
        let body = types::CreateWorkspaceRequest::builder().name("second");
        let made = client.create_workspace().body(body).send().await.expect("workspace");
        let workspaces = [first, made.workspace.id];
        Self { workspaces, cloud: cloud.to_owned(), client, ids: Vec::new() }
    }

    /// The id of what is made next.
    pub fn next(&self) -> Id {
        self.ids.len()
    }

    pub fn made(&mut self, id: Uuid) {
        self.ids.push(id);
    }

    pub async fn send(&self, op: &Op, world: &World) -> Answer {
        let client = &self.client;
        match op {
            Op::CreateBucket(bucket) => {
                let made = client.create_bucket().body(self.bucket(bucket)).send().await;
                caused(made).map(|made| Some(made.bucket_id))
            }
            Op::UpdateBucket { id, name, cloud, workspace } => {
                let change = json!({"name": name, "bucket": cloud,
                    "workspaceId": workspace.map(|at| self.workspaces[at])});
                let id = self.uuid(*id, &world.buckets);
                let body: types::UpdateBucketRequest = body(change);
                done(client.update_bucket().bucket_id(id).body(body).send().await)
            }
            Op::DeleteBucket(id) => {
                let id = self.uuid(*id, &world.buckets);
                done(client.delete_bucket().bucket_id(id).send().await)
            }
            Op::CreateRepo { name, mode, workspace, links } => {
                let repo = json!({"name": name, "storageType": "S3", "mode": word(*mode),
                    "workspaceId": self.workspaces[*workspace],
                    "repoBuckets": self.links(links, world)});
                let body: types::CreateStorageRepoRequest = body(repo);
                let made = client.create_storage_repo().body(body).send().await;
                caused(made).map(|made| Some(made.repo_id))
            }
            Op::UpdateRepo { id, name, mode, workspace, links, disabled } => {
                let links = links.as_ref().map(|links| self.links(links, world));
                let change = json!({"name": name, "storageType": "S3", "mode": word(*mode),
                    "workspaceId": workspace.map(|at| self.workspaces[at]),
                    "repoBuckets": links, "disabled": disabled});
                let id = self.uuid(*id, &world.repos);
                let body: types::UpdateStorageRepoRequest = body(change);
                done(client.update_storage_repo().repo_id(id).body(body).send().await)
            }
            Op::CheckRepo { id, mode, links } => {
                let links = links.as_ref().map(|links| self.links(links, world));
                let asked = json!({"mode": word(*mode), "repoBuckets": links});
                let id = self.uuid(*id, &world.repos);
                let body: types::ValidateStorageRepoRequest = body(asked);
                let sent = client.validate_storage_repo().repo_id(id).body(body).send().await;
                verdict(&caused(sent)?)
            }
            Op::DeleteRepo(id) => {
                let id = self.uuid(*id, &world.repos);
                done(client.delete_storage_repo().repo_id(id).send().await)
            }
            _ => self.send_of_key(op, world).await,
        }
    }

    async fn send_of_key(&self, op: &Op, world: &World) -> Answer {
        let client = &self.client;
        let place = |repo: &Option<Id>, key: Option<Id>| {
            let none = BTreeMap::new();
            let keys =
                repo.and_then(|repo| world.repos.get(&repo)).map_or(&none, |repo| &repo.keys);
            (self.uuid(*repo, &world.repos), self.uuid(key, keys))
        };
        match op {
            Op::CreateKey { repo, name, access } => {
                let key = json!({"name": name, "accessType": access});
                let body: types::CreateAccessKeyRequest = body(key);
                let (repo, _) = place(repo, None);
                let made = client.create_access_key().repo_id(repo).body(body).send().await;
                caused(made).map(|made| Some(made.id))
            }
            Op::UpdateKey { repo, key, name, access } => {
                let change = json!({"name": name, "accessType": access});
                let body: types::UpdateAccessKeyRequest = body(change);
                let (repo, key) = place(repo, *key);
                done(client.update_access_key().repo_id(repo).key_id(key).body(body).send().await)
            }
            Op::DeleteKey { repo, key } => {
                let (repo, key) = place(repo, *key);
                done(client.delete_access_key().repo_id(repo).key_id(key).send().await)
            }
            other => unreachable!("{other:?} is not about keys"),
        }
    }

    /// For nothing that is there, the id of the last thing that is something else or deleted.
    fn uuid<T>(&self, id: Option<Id>, there: &BTreeMap<Id, T>) -> Uuid {
        let astray = || (0..self.ids.len()).rev().find(|id| !there.contains_key(id));
        id.or_else(astray).map_or(Uuid::nil(), |id| self.ids[id])
    }

    fn bucket(&self, bucket: &Bucket) -> types::CreateBucketRequest {
        body(json!({"name": bucket.name, "bucket": bucket.cloud, "storageType": "S3",
            "endpoint": self.cloud, "key": "key", "secret": "secret",
            "workspaceId": self.workspaces[bucket.workspace]}))
    }

    /// Every second one names its bucket by its name.
    fn links(&self, links: &[Link], world: &World) -> Value {
        let link = |(place, link): (usize, &Link)| {
            let named = link.bucket.filter(|_| place % 2 == 1).map(|id| &world.buckets[&id].name);
            let id = self.uuid(link.bucket, &world.buckets).to_string();
            json!({"bucketId": named.unwrap_or(&id), "folder": link.folder, "master": link.master})
        };
        links.iter().enumerate().map(link).collect()
    }

    /// All there is, from the three lists, which must agree with each other.
    pub async fn world(&self) -> World {
        let client = &self.client;
        let (repos, buckets, available) = tokio::join!(
            client.list_storage_repos().send(),
            client.list_buckets().send(),
            client.list_available_buckets().send(),
        );
        let repos = in_order(
            repos
                .expect("repos")
                .into_inner()
                .repos
                .iter()
                .map(|repo| (self.id(repo.id), self.repo(repo))),
        );
        let listed = buckets.expect("buckets").into_inner().buckets;
        let buckets = in_order(listed.iter().map(|bucket| {
            let (name, cloud) = (bucket.name.clone(), bucket.bucket.clone());
            let workspace = self.workspace(bucket.workspace_id);
            (self.id(bucket.id), Bucket { name, cloud, workspace })
        }));
        let world = World { buckets, repos };
        for bucket in &listed {
            let holders: BTreeSet<_> = bucket.repos.iter().map(|repo| self.id(repo.id)).collect();
            assert_eq!(holders, world.holders(self.id(bucket.id)), "who holds {}", bucket.name);
        }
        let available = available.expect("available buckets").into_inner();
        let available: Vec<_> = available.iter().map(|bucket| self.id(bucket.id)).collect();
        assert_eq!(available, world.available());
        world
    }

    fn repo(&self, repo: &types::StorageRepo) -> Repo {
        let member = |member: &types::RepoBucketInfo| {
            assert_eq!(member.bucket_id, member.bucket.id);
            let (bucket, folder) = (self.id(member.bucket_id), member.folder.clone());
            Member { bucket, folder, master: member.master }
        };
        let access = |access| match access {
            types::AccessType::Read => "READ",
            types::AccessType::Write => "WRITE",
            types::AccessType::Admin => "ADMIN",
        };
        let key =
            |key: &types::AccessKey| (self.id(key.id), (key.name.clone(), access(key.access_type)));
        Repo {
            name: repo.name.clone(),
            mode: [Mode::Normal, Mode::Mirror, Mode::Backup]
                .into_iter()
                .find(|mode| word(*mode) == repo.mode.to_string())
                .expect("a mode"),
            workspace: self.workspace(repo.workspace_id),
            disabled: repo.disabled,
            members: repo.buckets.iter().map(member).collect(),
            keys: in_order(repo.api_keys.iter().map(key)),
        }
    }

    fn id(&self, id: Uuid) -> Id {
        self.ids.iter().position(|made| *made == id).expect("something that was made")
    }

    fn workspace(&self, id: Uuid) -> usize {
        self.workspaces.iter().position(|workspace| *workspace == id).expect("one of the two")
    }
}

/// Lists are in order of creation.
fn in_order<T>(items: impl Iterator<Item = (Id, T)>) -> BTreeMap<Id, T> {
    let items: Vec<_> = items.collect();
    assert!(items.is_sorted_by(|a, b| a.0 < b.0), "not in order of creation");
    items.into_iter().collect()
}

pub fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Normal => "NORMAL",
        Mode::Mirror => "MIRROR",
        Mode::Backup => "BACKUP",
    }
}

pub fn body<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a body the client can send")
}

pub fn done<T>(sent: Result<ResponseValue<T>, Error<types::StorageError>>) -> Answer {
    caused(sent).map(|_| None)
}

/// What came back, or why nothing did.
pub fn caused<T>(sent: Result<ResponseValue<T>, Error<types::StorageError>>) -> Result<T, Cause> {
    match sent {
        Ok(answer) => Ok(answer.into_inner()),
        Err(Error::ErrorResponse(refusal)) => {
            let status = refusal.status().as_u16();
            let code = refusal.into_inner().error_code;
            let known = CAUSES
                .into_iter()
                .chain([CONFLICT])
                .find(|cause| *cause == (status, code.as_deref()));
            Err(known.unwrap_or_else(|| panic!("{status} {code:?} is no documented cause")))
        }
        Err(other) => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

/// A verdict that an update would be refused, as the refusal it speaks of.
fn verdict(verdict: &types::ValidateStorageRepoResponse) -> Answer {
    let code = verdict.error_code.as_str();
    assert_eq!(verdict.success, code == "SUCCESS", "{verdict:?}");
    assert_eq!(verdict.success, verdict.error_message.is_none(), "{verdict:?}");
    if verdict.success {
        return Ok(None);
    }
    Err(CAUSES.into_iter().find(|cause| cause.1 == Some(code)).expect("a documented code"))
}

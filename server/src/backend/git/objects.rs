//! Git objects in memory: identity, and the overlay that a batch of edits builds on; it must
//! never touch a disk.

use bytes::Bytes;
use gix::ObjectId;
use gix::hash::Kind as HashKind;
use gix::hashtable::HashMap;
use gix::objs::{self, CommitRef, Kind, WriteTo};

use crate::model::edit::CommitId;

/// Every repo is SHA-1: so are the clients of the original service.
pub const HASH: HashKind = HashKind::Sha1;
/// Largest object that is ever inflated into memory, in bytes.
pub const OBJECT_BYTES_MAX: usize = 100 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The cache lost or damaged something. Drop its directory and rebuild it from the bundles.
    #[error("the git cache is broken: {0}")]
    CacheBroken(String),
    #[error("the git cache cannot be written: {0}")]
    Io(#[from] std::io::Error),
    #[error("git refused a pack: {0}")]
    PackRefused(String),
    #[error("object {id} has {size} bytes, more than the {OBJECT_BYTES_MAX} that can be read")]
    ObjectTooLarge { id: ObjectId, size: u64 },
    #[error(
        "the tree holds more than {} entries, or a path beyond every limit",
        super::walk::WALK_ENTRIES_MAX
    )]
    TreeTooLarge,
    #[error("the two states are too large to be compared")]
    TooMuchToCompare,
    #[error("the content takes part in a SHA-1 collision attack and cannot be stored in git")]
    Collision,
    #[error("object {id} is not a {expected}")]
    WrongKind { id: ObjectId, expected: Kind },
}

impl ObjectError {
    /// Whether building the cache again may help; otherwise it is the content that is too much.
    pub fn is_fault_of_cache(&self) -> bool {
        !matches!(
            self,
            Self::ObjectTooLarge { .. }
                | Self::TreeTooLarge
                | Self::TooMuchToCompare
                | Self::Collision
        )
    }

    pub(in crate::backend) fn broken(
        id: impl std::fmt::Display,
        what: impl std::fmt::Display,
    ) -> Self {
        Self::CacheBroken(format!("{id}: {what}"))
    }
}

/// An object whose id is known to be that of its content. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub id: ObjectId,
    pub kind: Kind,
    pub data: Bytes,
}

impl Object {
    pub fn new(kind: Kind, data: impl Into<Bytes>) -> Result<Self, ObjectError> {
        let data = data.into();
        let id = objs::compute_hash(HASH, kind, &data).map_err(|_| ObjectError::Collision)?;
        Ok(Self { id, kind, data })
    }

    /// What was stored under `id`, if it still is that.
    pub(super) fn verified(id: &ObjectId, kind: Kind, data: Vec<u8>) -> Result<Self, ObjectError> {
        let object = Self::new(kind, data)?;
        match object.id == *id {
            true => Ok(object),
            false => Err(ObjectError::broken(id, "its content has another hash")),
        }
    }

    /// Serialises one of gix's own object types.
    pub fn encode(object: &impl WriteTo) -> Result<Self, ObjectError> {
        let mut data = Vec::with_capacity(object.size() as usize);
        object.write_to(&mut data)?;
        Self::new(object.kind(), data)
    }

    /// The root tree, if this is a commit.
    pub fn root_tree(&self) -> Result<ObjectId, ObjectError> {
        self.expect(Kind::Commit)?;
        let commit = CommitRef::from_bytes(&self.data, HASH)
            .map_err(|err| ObjectError::broken(self.id, err))?;
        Ok(commit.tree())
    }

    pub fn expect(&self, expected: Kind) -> Result<(), ObjectError> {
        match self.kind == expected {
            true => Ok(()),
            false => Err(ObjectError::WrongKind { id: self.id, expected }),
        }
    }
}

/// Anything objects can be read from.
pub trait ObjectSource {
    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError>;

    /// Whether what was before the commit was left out when the repo was made, so that its parents
    /// are not to be looked for.
    fn is_cut(&self, _: &ObjectId) -> bool {
        false
    }

    /// For an id that another object or a ref names: if it is absent, something is broken.
    fn read(&self, id: &ObjectId) -> Result<Object, ObjectError> {
        self.find(id)?.ok_or_else(|| ObjectError::broken(id, "missing"))
    }

    /// How many bytes an object has; cheaper than to read it, where there is a way.
    fn size(&self, id: &ObjectId) -> Result<Option<u64>, ObjectError> {
        Ok(self.find(id)?.map(|object| object.data.len() as u64))
    }
}

/// New objects on top of `base`, in the order they were made.
pub struct Objects<'a> {
    base: &'a dyn ObjectSource,
    new: Vec<Object>,
    places: HashMap<ObjectId, usize>,
}

impl<'a> Objects<'a> {
    pub fn new(base: &'a dyn ObjectSource) -> Self {
        Self { base, new: Vec::new(), places: HashMap::default() }
    }

    pub fn put(&mut self, object: Object) {
        let next = self.new.len();
        if *self.places.entry(object.id).or_insert(next) == next {
            self.new.push(object);
        }
    }

    pub fn into_new(self) -> Vec<Object> {
        self.new
    }
}

impl ObjectSource for Objects<'_> {
    fn is_cut(&self, commit: &ObjectId) -> bool {
        self.base.is_cut(commit)
    }

    fn find(&self, id: &ObjectId) -> Result<Option<Object>, ObjectError> {
        match self.places.get(id) {
            Some(&place) => Ok(Some(self.new[place].clone())),
            None => self.base.find(id),
        }
    }
}

impl From<CommitId> for ObjectId {
    fn from(id: CommitId) -> Self {
        Self::Sha1(*id.as_bytes())
    }
}

impl From<ObjectId> for CommitId {
    fn from(id: ObjectId) -> Self {
        let bytes = id.as_bytes().try_into().expect("every id is SHA-1, which has 20 bytes");
        Self::from_bytes(bytes)
    }
}

//! Identifiers: one type per noun, so that a bucket's id can never be passed as a repo's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; version 7, so that ids sort by creation time.
            #[expect(clippy::new_without_default, reason = "each call gives another id")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// An organisation: the boundary nothing crosses.
    OrgId,
    /// A person or a program of one organisation.
    UserId,
    /// A group of repositories and buckets within an organisation.
    WorkspaceId,
    /// A bearer token of the JSON API.
    TokenId,
    /// A git repository.
    SourceRepoId,
    /// A cloud bucket with its credential.
    BucketId,
    /// A group of buckets behind one gateway.
    StorageRepoId,
    /// An S3 key pair of a storage repo.
    AccessKeyId,
    /// A language model that storage repos may use.
    AiLlmId,
    /// A key for the language models of a storage repo.
    AiKeyId,
    /// A durable unit of background work.
    JobId,
    /// A namespace of objects in a storage repo.
    SpaceId,
    /// One state of an object, from one write to the next.
    Version,
    /// An object that comes in parts.
    UploadId,
    /// The making of a source repo from a repository elsewhere.
    ImportId,
    /// A URL that is told of changes.
    WebhookId,
    /// Something that webhooks are told of.
    EventId,
}

/// What a client names something by: its id, or its name. What reads as an id is one, so that no
/// name can stand in for another thing's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IdOrName {
    Id(Uuid),
    Name(String),
}

impl IdOrName {
    /// The column to look in, and the value to look for.
    pub fn column(&self) -> (&'static str, String) {
        match self {
            Self::Id(id) => ("id", id.to_string()),
            Self::Name(name) => ("name", name.clone()),
        }
    }
}

impl From<String> for IdOrName {
    fn from(text: String) -> Self {
        // Shorter and longer spellings of a UUID are names.
        match text.parse() {
            Ok(id) if text.len() == uuid::fmt::Hyphenated::LENGTH => Self::Id(id),
            _ => Self::Name(text),
        }
    }
}

impl fmt::Display for IdOrName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.column().1)
    }
}

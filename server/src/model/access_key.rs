//! Access keys: S3 key pairs for the data of one storage repo.

use super::access::Role;
use super::id::{AccessKeyId, StorageRepoId};
use super::time::Timestamp;

/// What the public half of a pair begins with.
pub const KEY_PREFIX: &str = "RP";
/// Random characters after the prefix; upper-case letters and digits.
pub const KEY_RANDOM_CHARS: usize = 18;
/// Characters of a secret; letters and digits, so 238 bits.
pub const SECRET_CHARS: usize = 40;
/// Most live access keys of one storage repo, and most AI API keys.
pub const KEYS_PER_REPO_MAX: i64 = 100;

#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: AccessKeyId,
    pub repo: StorageRepoId,
    pub name: String,
    pub access: Role,
    /// The public half.
    pub key: String,
    /// Ciphertext of the secret half; signatures cannot be checked with less than the secret.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// Who is asking at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCaller {
    pub key: AccessKeyId,
    pub repo: StorageRepoId,
    pub access: Role,
}

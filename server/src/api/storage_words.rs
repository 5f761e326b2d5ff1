//! Spellings that the tags of storage repos share.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::strict::words;
use crate::model::storage_repo::Mode;
use crate::model::{ai, bucket, id};
use crate::service::{Error, Receipt, Result};

words! {
    /// Protocol of a bucket, or of the application in front of a storage repo. `AZURE` is another word for `BLOB`;
    /// the server answers the one that was sent.
    #[schema(example = json!("S3"))]
    StorageType: bucket::StorageType { S3 = "S3", Gcs = "GCS", Blob = "BLOB", Azure = "AZURE" }
}

words! {
    /// How a storage repo uses its buckets.
    ///
    /// - `MIRROR` keeps every object in every bucket. If it has buckets, exactly one is the `master`, else
    ///   `MIRROR_MASTER_UNIT_MISSING` or `MIRROR_MASTER_UNIT_COUNT_INVALID`. Its buckets belong to no other storage
    ///   repo, else `MIRROR_UNIT_ALREADY_IN_OTHER_REPO`.
    /// - `BACKUP` writes to the master and copies to the others later. The rules are those of `MIRROR`.
    /// - `NORMAL` has independent buckets, each addressed by its own name, so no two may have the same; a pair of
    ///   bucket and folder is used once over all storage repos, both else `NORMAL_UNIT_FOLDER_ALREADY_USED`. As long as
    ///   it has access keys, a bucket stays linked (`NORMAL_UNIT_FOLDER_CANNOT_DELETE`) and its folder stays
    ///   (`NORMAL_UNIT_CANNOT_EDIT_FOLDER`), since somebody may be writing there.
    #[schema(example = json!("MIRROR"))]
    StorageMode: Mode { Normal = "NORMAL", Mirror = "MIRROR", Backup = "BACKUP" }
}

words! {
    /// Provider of a language model.
    #[schema(example = json!("OPENAI"))]
    AiType: ai::AiType {
        OpenAi = "OPENAI",
        Google = "GOOGLE",
        Anthropic = "ANTHROPIC",
        Aws = "AWS",
        Other = "OTHER",
    }
}

/// Id of something, or its name if only one of those that come into question has that name. What
/// reads as a UUID is an id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(
    min_length = 1,
    max_length = 255,
    pattern = r"^[^\u0000]+$",
    example = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)]
pub struct IdOrName(String);

impl IdOrName {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Of the field or parameter called so.
    pub fn of(field: &str, text: Option<Self>) -> Result<Option<id::IdOrName>> {
        let Some(Self(text)) = text else { return Ok(None) };
        if text.is_empty() || text.contains('\0') {
            return Err(Error::invalid(field, format!("{field}: must be an id or a name")));
        }
        Ok(Some(text.into()))
    }
}

/// What comes before the keys of a storage repo in the bucket; empty for nothing. Slashes at both ends are
/// dropped. No component may be empty, `.` or `..`.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(
    max_length = 512,
    pattern = r"^/*(?:(?!\.{1,2}(?:/|$))[^/\u0000-\u001f]+(?:/(?!\.{1,2}(?:/|$))[^/\u0000-\u001f]+)*)?/*$",
    example = "backups"
)]
pub struct BucketFolder(String);

impl BucketFolder {
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Tells that a secret is kept, and changes when another one is. The secret itself is sealed and never
/// answered; nothing in here opens it.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"key": "MQ==", "iv": "q83vEjRWeJCrze8S", "authTag": "AAECAwQFBgcICQoLDA0ODw==", "message": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}))]
pub struct SecretEnvelope {
    /// Version of the master key that seals it, in base64.
    key: String,
    /// Nonce it is sealed with, in base64.
    iv: String,
    /// Tag of the seal, in base64.
    auth_tag: String,
    /// SHA-256 of the sealed secret, in base64.
    message: String,
}

impl SecretEnvelope {
    /// Of a ciphertext as the vault makes it; the ciphertext itself stays here.
    pub fn of(sealed: &[u8]) -> Self {
        let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let receipt = Receipt::of(sealed);
        Self {
            key: base64(receipt.key_version.to_string().as_bytes()),
            iv: base64(&receipt.nonce),
            auth_tag: base64(&receipt.tag),
            message: base64(&receipt.digest),
        }
    }
}

/// A secret in a body, if there is one. Whatever was sent in its place may be the secret, too, so that
/// no refusal quotes it.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(serde::de::Error::custom("must be a string")),
    }
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

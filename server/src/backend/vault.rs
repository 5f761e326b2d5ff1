//! Seals secrets before they touch a row, and opens them again. A plain secret never
//! leaves this module except to the one who asked for it by name.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

const KEY_BYTES: usize = 32;
const VERSION_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// Permission bits of anybody but the owner.
const OTHERS: u32 = 0o077;

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("cannot use the master key file {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the master key file {path} can be read by others; run: chmod 600 {path}")]
    Exposed { path: PathBuf },
    #[error("the master key file {path} is damaged: {reason}; restore it from a backup")]
    Damaged { path: PathBuf, reason: String },
    #[error("a secret cannot be opened: sealed under another master key, or changed since")]
    Unopenable,
}

/// The master keys, oldest first. The last one seals; all of them open.
pub struct Vault {
    keys: Vec<(u32, RandomizedNonceKey)>,
}

impl Vault {
    /// Reads the key file, and makes it with a fresh key when there is none.
    pub fn open_or_create(path: &Path) -> Result<Self, VaultError> {
        let failed = |source| VaultError::File { path: path.to_owned(), source };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let line =
                    format!("1 {}\n", BASE64_STANDARD.encode(rand::random::<[u8; KEY_BYTES]>()));
                file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        if std::fs::metadata(path).map_err(failed)?.mode() & OTHERS != 0 {
            return Err(VaultError::Exposed { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let keys =
            parse(&text).map_err(|reason| VaultError::Damaged { path: path.to_owned(), reason })?;
        Ok(Self { keys })
    }

    /// Seals `secret` for one place; it cannot be opened as anything else.
    pub fn seal(&self, place: &str, secret: &SecretString) -> Result<Vec<u8>, VaultError> {
        let (version, key) = self.keys.last().ok_or(VaultError::Unopenable)?;
        let mut sealed = secret.expose_secret().as_bytes().to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(place), &mut sealed)
            .map_err(|_| VaultError::Unopenable)?;
        Ok([&version.to_be_bytes()[..], nonce.as_ref(), &sealed].concat())
    }

    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<SecretString, VaultError> {
        let (version, rest) = sealed.split_first_chunk().ok_or(VaultError::Unopenable)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Unopenable)?;
        let version = u32::from_be_bytes(*version as [u8; VERSION_BYTES]);
        let (_, key) =
            self.keys.iter().find(|(known, _)| *known == version).ok_or(VaultError::Unopenable)?;
        let mut plain = rest.to_vec();
        let plain = key
            .open_in_place(Nonce::from(nonce), Aad::from(place), &mut plain)
            .map_err(|_| VaultError::Unopenable)?;
        let text = std::str::from_utf8(plain).map_err(|_| VaultError::Unopenable)?;
        Ok(SecretString::from(text))
    }
}

/// What may be told of a sealed secret: that there is one, and when it is another. It cannot be
/// opened, not even with the master key.
pub struct Receipt {
    pub key_version: u32,
    pub nonce: Vec<u8>,
    pub tag: Vec<u8>,
    /// SHA-256 of the ciphertext.
    pub digest: Vec<u8>,
}

impl Receipt {
    pub fn of(sealed: &[u8]) -> Self {
        let (version, rest) = sealed.split_first_chunk().unwrap_or((&[0; VERSION_BYTES], &[]));
        let (nonce, rest) = rest.split_at(NONCE_LEN.min(rest.len()));
        let (text, tag) = rest.split_at(rest.len().saturating_sub(TAG_BYTES));
        Self {
            key_version: u32::from_be_bytes(*version),
            nonce: nonce.to_vec(),
            tag: tag.to_vec(),
            digest: Sha256::digest(text).to_vec(),
        }
    }
}

/// One key per line: its version, a space, 32 bytes in base64.
fn parse(text: &str) -> Result<Vec<(u32, RandomizedNonceKey)>, String> {
    let keys: Vec<_> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let place = format!("line {}", index + 1);
            let (version, key) = line.split_once(' ').ok_or(format!("{place} has no key"))?;
            let version = version.parse().map_err(|_| format!("{place} has no version"))?;
            let key = BASE64_STANDARD.decode(key).map_err(|_| format!("{place} is not base64"))?;
            let key = RandomizedNonceKey::new(&AES_256_GCM, &key)
                .map_err(|_| format!("{place} is not {KEY_BYTES} bytes"))?;
            Ok((version, key))
        })
        .collect::<Result<_, String>>()?;
    if keys.is_empty() { Err("it is empty".to_owned()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_in_its_place_and_unchanged() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("master.key");
        let vault = Vault::open_or_create(&path).expect("new vault");
        let sealed = vault.seal("bucket/1", &"hunter2".into()).expect("sealed");
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));

        let again = Vault::open_or_create(&path).expect("same vault");
        assert_eq!(again.open("bucket/1", &sealed).expect("opened").expose_secret(), "hunter2");
        assert!(again.open("bucket/2", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(again.open("bucket/1", &changed).is_err(), "byte {index}");
        }
    }

    #[test]
    fn older_keys_still_open_and_the_last_one_seals() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("master.key");
        let old = Vault::open_or_create(&path).expect("new vault").seal("x", &"a".into());
        let mut text = std::fs::read_to_string(&path).expect("key file");
        text.push_str(&format!("2 {}\n", BASE64_STANDARD.encode([7; KEY_BYTES])));
        std::fs::write(&path, text).expect("second key");

        let vault = Vault::open_or_create(&path).expect("two keys");
        assert_eq!(vault.open("x", &old.expect("sealed")).expect("old").expose_secret(), "a");
        let new = vault.seal("x", &"b".into()).expect("sealed");
        assert_eq!(new[..VERSION_BYTES], 2_u32.to_be_bytes());
    }

    #[test]
    fn an_exposed_or_damaged_key_file_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("master.key");
        Vault::open_or_create(&path).expect("new vault");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(matches!(Vault::open_or_create(&path), Err(VaultError::Exposed { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
        for text in ["", "1", "x AAAA", "1 AAAA", "1 ***"] {
            std::fs::write(&path, text).expect("damage");
            assert!(
                matches!(Vault::open_or_create(&path), Err(VaultError::Damaged { .. })),
                "{text}"
            );
        }
    }
}

//! Keeps a data folder to one server: two would write into each other's caches.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::Context;

/// Held until it is dropped.
pub struct Lock(File);

impl Lock {
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("lock");
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another server is running on the folder {}; stop it first, or give this one a \
                 --data-dir of its own",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it is not enough: a process that is being started has a copy for a moment.
        let _ = self.0.unlock();
    }
}

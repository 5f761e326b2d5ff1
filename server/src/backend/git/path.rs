//! Which names git may store; it must never let through one that a clone could take for `.git`.

use gix::bstr::BStr;
use gix::validate::path::component::{Mode, Options};
use gix::validate::path::{self};

use crate::model::file_path::{FilePath, PathError};

/// Device names are legal outside Windows, and a push may bring them: only what is dangerous
/// everywhere is refused.
const RULES: Options = Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };

/// Checks a path that an edit is about to create.
pub fn check(path: &FilePath) -> Result<(), PathError> {
    check_as(path, None)
}

/// As `check`, for a symlink: some names may only be those of files.
pub fn check_symlink(path: &FilePath) -> Result<(), PathError> {
    check_as(path, Some(Mode::Symlink))
}

/// Whether a stored path stays where an archive is unpacked, on every system: a push may have
/// brought any bytes.
pub fn is_extractable(path: &BStr) -> bool {
    let whole = !path.is_empty() && !path.contains(&b'\\');
    whole
        && path
            .split(|byte| *byte == b'/')
            .all(|name| path::component(name.into(), None, RULES).is_ok())
}

fn check_as(path: &FilePath, mode: Option<Mode>) -> Result<(), PathError> {
    let fault = |reason: String| PathError::new(path.as_str(), reason);
    for name in path.components() {
        path::component(name.into(), mode, RULES).map_err(|err| fault(err.to_string()))?;
        if name.contains(|c: char| c.is_ascii_control()) {
            return Err(fault("it contains a control character".into()));
        }
        // On Windows `a\.git\config` is not one name but three.
        if name.contains('\\') {
            return Err(fault("it contains a backslash; separate components with `/`".into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

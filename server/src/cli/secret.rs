//! Secrets for the command line: from a file, standard input or a variable. Must never take one
//! from an argument, which every user of the machine can read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use secrecy::SecretString;

/// Longest file that is read as a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// What the file that `flag` names holds, without line ends behind it; `-` is standard input.
pub fn from_file(flag: &str, path: &Path) -> anyhow::Result<SecretString> {
    let shown = path.display();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).with_context(|| format!("{flag}: cannot read {shown}"))?)
    };
    let mut text = String::new();
    let length = source
        .take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("{flag}: cannot read {shown}"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(length as u64 <= SECRET_BYTES_MAX, "{flag}: {shown} is too long for a secret");
    anyhow::ensure!(!secret.is_empty(), "{flag}: {shown} holds nothing");
    Ok(secret.into())
}

/// What the variable holds, unless it is unset or empty.
pub fn from_variable(name: &str) -> anyhow::Result<Option<SecretString>> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    match value.into_string() {
        Ok(value) => Ok(Some(value.into())),
        Err(_) => anyhow::bail!("the value of {name} is not UTF-8"),
    }
}

//! Texts that clients choose: how long, and of what.

use secrecy::{ExposeSecret, SecretString};

use crate::model::org::NAME_CHARS_MAX;
use crate::service::{Error, Result};

/// A name for people to read, in the field `name`.
pub fn check_name(name: &str) -> Result<()> {
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains('\0') {
        return Ok(());
    }
    let message = format!("name: must have 1 to {NAME_CHARS_MAX} characters, none of them NUL");
    Err(Error::invalid("name", message))
}

/// A text that may be missing, which an empty one counts as.
pub fn optional(field: &str, text: Option<String>, chars_max: usize) -> Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > chars_max || text.contains('\0') {
        let message =
            format!("{field}: must have at most {chars_max} characters, none of them NUL");
        return Err(Error::invalid(field, message));
    }
    Ok(Some(text))
}

/// Changes such a text: `None` leaves it, an empty one removes it.
pub fn change(
    field: &str,
    text: &mut Option<String>,
    new: Option<String>,
    chars_max: usize,
) -> Result<()> {
    if new.is_some() {
        *text = optional(field, new, chars_max)?;
    }
    Ok(())
}

/// A secret that may be missing, which an empty one counts as.
pub fn secret(
    field: &str,
    text: Option<SecretString>,
    chars_max: usize,
) -> Result<Option<SecretString>> {
    let plain = text.as_ref().map(|text| text.expose_secret().to_owned());
    Ok(optional(field, plain, chars_max)?.and(text))
}

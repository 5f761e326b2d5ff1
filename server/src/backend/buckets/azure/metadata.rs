//! What Azure keeps with a blob. Its names of metadata are identifiers of C#, so all others are spelled
//! with escapes; a name that comes back never means another than the one that was sent.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::backend::buckets::{Attributes, BucketError};

/// What the name of a piece of metadata begins with.
const METADATA: &str = "x-ms-meta-";
/// Begins an escape. An underscore would do, but not everybody sorts it before letters, and signatures
/// cover sorted names.
const ESCAPE: u8 = b'q';
/// Azure has no such header, so it is kept under a name that no header can have: this is an escaped NUL.
const EXPIRES: &str = "q00expires";

/// The headers that say what a blob is to be.
pub fn headers(attributes: &Attributes) -> Result<HeaderMap, BucketError> {
    let mut headers = HeaderMap::new();
    let mut insert = |name: String, text: &str| {
        let refused = || BucketError::Attribute("metadata".to_owned());
        let name = HeaderName::try_from(name).map_err(|_| refused())?;
        headers.insert(name, HeaderValue::from_str(text).map_err(|_| refused())?);
        Ok::<(), BucketError>(())
    };
    for (name, value) in attributes.standard() {
        let name = match name {
            "expires" => format!("{METADATA}{EXPIRES}"),
            name => format!("x-ms-blob-{name}"),
        };
        insert(name, value)?;
    }
    for (name, value) in &attributes.metadata {
        insert(format!("{METADATA}{}", escaped(name)), value)?;
    }
    Ok(headers)
}

/// What the headers of an answer say about a blob.
pub fn read(headers: &HeaderMap) -> Attributes {
    let mut attributes = Attributes::read(headers, METADATA);
    attributes.expires = attributes.metadata.remove(EXPIRES);
    let named = std::mem::take(&mut attributes.metadata).into_iter();
    attributes.metadata = named
        .map(|(name, value)| (unescaped(&name).unwrap_or(name), value))
        .collect::<BTreeMap<_, _>>();
    attributes
}

fn escaped(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut spelled = String::new();
    for (at, &byte) in bytes.iter().enumerate() {
        let looks_escaped = byte == ESCAPE && hex_pair(&bytes[at + 1..]).is_some();
        let plain = byte.is_ascii_lowercase() || (at > 0 && byte.is_ascii_digit());
        if plain && !looks_escaped {
            spelled.push(char::from(byte));
        } else {
            spelled.push_str(&format!("{}{byte:02x}", char::from(ESCAPE)));
        }
    }
    spelled
}

fn unescaped(spelled: &str) -> Option<String> {
    let mut rest = spelled.as_bytes();
    let mut name = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        match hex_pair(after).filter(|_| byte == ESCAPE) {
            Some(escaped) => {
                name.push(escaped);
                rest = &after[2..];
            }
            None => {
                name.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(name).ok()
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let value = digit(bytes.first()?)? * 16 + digit(bytes.get(1)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_and_is_an_identifier() {
        for name in [
            "a",
            "my-key",
            "a_b",
            "1st",
            "q",
            "q2d",
            "qq2d",
            "q-2d",
            "qa-",
            "sequence",
            "x.y!#$%&'*+^`|~",
        ] {
            let spelled = escaped(name);
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(
                spelled.bytes().all(plain) && !spelled.as_bytes()[0].is_ascii_digit(),
                "{spelled}"
            );
            assert_eq!(unescaped(&spelled).as_deref(), Some(name), "{spelled}");
            assert_ne!(spelled, EXPIRES);
        }
        assert_eq!(escaped("sequence"), "sequence");
    }
}

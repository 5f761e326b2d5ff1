//! JSON pointers and `$ref`. Nothing here reads a file or the network: a reference outside the document is an error.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::Error;

/// Nesting of a document and of references inside it, in levels. The readers stop at 128 too.
pub(crate) const MAX_DEPTH: usize = 128;

const SCHEMAS: &str = "#/components/schemas/";

/// `at` with one more step, escaped. White space and control characters become `%XX`, so that a pointer is one word on
/// one line whatever the names in a document are.
pub(crate) fn join(at: &str, key: &str) -> String {
    let mut pointer = format!("{at}/");
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c if c.is_whitespace() || c.is_control() => {
                pointer.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC));
            }
            c => pointer.push(c),
        }
    }
    pointer
}

/// The name in `#/components/schemas/NAME`, still escaped as in the reference.
pub(crate) fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix(SCHEMAS).filter(|name| !name.is_empty() && !name.contains('/'))
}

/// What `reference`, found at `at`, points to.
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str, at: &str) -> Result<&'a Value, Error> {
    let Some(fragment) = reference.strip_prefix('#') else {
        return Err(Error::ExternalRef { pointer: at.to_owned(), reference: reference.to_owned() });
    };
    let decoded = percent_decode_str(fragment).decode_utf8_lossy();
    [fragment, &decoded]
        .into_iter()
        .filter(|pointer| pointer.starts_with('/'))
        .find_map(|pointer| root.pointer(pointer))
        .ok_or_else(|| Error::DanglingRef {
            pointer: at.to_owned(),
            reference: reference.to_owned(),
        })
}

/// Refuses a document so deep that walking it could exhaust the stack. Itself it does not recurse.
pub(crate) fn check_depth(doc: &Value) -> Result<(), Error> {
    let mut open = vec![(doc, 0)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep { pointer: String::new(), limit: MAX_DEPTH });
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => open.extend(map.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

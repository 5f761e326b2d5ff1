//! Every difference of two documents. It knows no exceptions: whatever is not equal after normalisation is reported.

use serde_json::Value;

use crate::error::Side;
use crate::finding::{DIFFERS, ONLY_IN_A, ONLY_IN_B};
use crate::pointer::join;
use crate::{Error, Finding, canonical};

/// Longest value quoted in a message, in characters.
const MAX_QUOTE: usize = 120;

/// Normalises both documents and lists where they differ, ordered by place.
///
/// # Errors
/// When one of them cannot be normalised; the error says which.
pub fn drift(a: &Value, b: &Value) -> Result<Vec<Finding>, Error> {
    let a = canonical(a).map_err(|error| error.on(Side::First))?;
    let b = canonical(b).map_err(|error| error.on(Side::Second))?;
    let mut findings = Vec::new();
    differences(&a, &b, "", &mut findings);
    findings.sort();
    Ok(findings)
}

fn differences(a: &Value, b: &Value, at: &str, findings: &mut Vec<Finding>) {
    match (a, b) {
        (Value::Object(left), Value::Object(right)) => {
            for (key, value) in left {
                match right.get(key) {
                    Some(other) => differences(value, other, &join(at, key), findings),
                    None => {
                        findings.push(finding(ONLY_IN_A, join(at, key), "only in A".to_owned()))
                    }
                }
            }
            for key in right.keys().filter(|key| !left.contains_key(*key)) {
                findings.push(finding(ONLY_IN_B, join(at, key), "only in B".to_owned()));
            }
        }
        (Value::Array(left), Value::Array(right)) if nested(left) || nested(right) => {
            for (index, (value, other)) in left.iter().zip(right).enumerate() {
                differences(value, other, &format!("{at}/{index}"), findings);
            }
            for index in right.len()..left.len() {
                findings.push(finding(ONLY_IN_A, format!("{at}/{index}"), "only in A".to_owned()));
            }
            for index in left.len()..right.len() {
                findings.push(finding(ONLY_IN_B, format!("{at}/{index}"), "only in B".to_owned()));
            }
        }
        _ if a == b => {}
        _ => {
            let message = format!("A says {}, B says {}", quote(a), quote(b));
            findings.push(finding(DIFFERS, at.to_owned(), message));
        }
    }
}

/// A list of plain values reads best as a whole; one that holds objects is compared item by item.
fn nested(items: &[Value]) -> bool {
    items.iter().any(|item| item.is_object() || item.is_array())
}

fn finding(rule: &'static str, pointer: String, message: String) -> Finding {
    Finding { pointer, rule, direction: None, message }
}

fn quote(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

//! Which values a schema takes: types, null, enums and the value that is assumed when none is sent. Whoever reads must
//! know everything that the other side may send.

use serde_json::Value;

use super::{Check, Object, by, rules};
use crate::Direction;
use crate::pointer::join;

impl Check<'_> {
    /// False when the types have nothing to do with each other, and there is no more to compare.
    pub(super) fn types(
        &mut self,
        old: &Object,
        new: &Object,
        at: &str,
        direction: Direction,
    ) -> bool {
        let (was, is) = (type_of(old), type_of(new));
        let (sender, reader) = match direction {
            Direction::Request => (was, is),
            Direction::Response => (is, was),
        };
        let reads = reader.is_none()
            || sender == reader
            || (sender, reader) == (Some("integer"), Some("number"));
        if !reads {
            let name = |kind: Option<&str>| kind.unwrap_or("any type").to_owned();
            let detail = format!("{} is now {}", name(was), name(is));
            self.report(by(direction, rules::REQUEST_TYPE, rules::RESPONSE_TYPE), at, &detail);
        }
        reads
    }

    pub(super) fn null(&mut self, old: &Object, new: &Object, at: &str, direction: Direction) {
        let nullable = |schema: &Object| {
            schema.get("nullable") == Some(&Value::Bool(true))
                || type_of(schema).is_none()
                    && !["enum", "oneOf", "anyOf"].iter().any(|key| schema.contains_key(*key))
        };
        match (nullable(old), nullable(new), direction) {
            (true, false, Direction::Request) => {
                self.report(rules::REQUEST_NULL, at, "null is refused now")
            }
            (false, true, Direction::Response) => {
                self.report(rules::RESPONSE_NULL, at, "it may be null now")
            }
            _ => {}
        }
    }

    /// Compares the `default` of two schemas.
    pub(super) fn default(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        at: &str,
        direction: Direction,
    ) {
        if let Some(was) = old
            && direction == Direction::Request
            && new != old
        {
            let is = new.map_or("unknown".to_owned(), Value::to_string);
            let detail = format!("the default {was} is now {is}");
            self.report(rules::REQUEST_DEFAULT, join(at, "default"), &detail);
        }
    }

    pub(super) fn values(&mut self, old: &Object, new: &Object, at: &str, direction: Direction) {
        let at = join(at, "enum");
        let list = |schema: &Object| schema.get("enum").and_then(Value::as_array).cloned();
        let (sent, read, value_rule, list_rule) = match direction {
            Direction::Request => {
                (list(old), list(new), rules::REQUEST_ENUM, rules::REQUEST_ENUM_CLOSED)
            }
            Direction::Response => {
                (list(new), list(old), rules::RESPONSE_ENUM, rules::RESPONSE_ENUM_OPENED)
            }
        };
        let Some(read) = read else {
            return;
        };
        let Some(sent) = sent else {
            return self.report(list_rule, at, "one side lists its values, the other allows all");
        };
        for value in sent.iter().filter(|value| !read.contains(value)) {
            let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let detail = match direction {
                Direction::Request => format!("value {value} is gone"),
                Direction::Response => format!("value {value} is new"),
            };
            self.report(value_rule, join(&at, &name), &detail);
        }
    }
}

/// The type, or the one that the other keywords only make sense for.
fn type_of(schema: &Object) -> Option<&str> {
    const SAY_OBJECT: [&str; 3] = ["properties", "additionalProperties", "required"];
    match schema.get("type") {
        Some(kind) => kind.as_str(),
        None if SAY_OBJECT.iter().any(|key| schema.contains_key(*key)) => Some("object"),
        None => schema.contains_key("items").then_some("array"),
    }
}

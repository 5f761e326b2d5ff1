//! One schema without references and `allOf` at its top level. Its child schemas stay as they are, references included.

use serde_json::{Value, json};

use super::{Check, Object};
use crate::Error;
use crate::error::Side;
use crate::pointer::{MAX_DEPTH, resolve};

impl Check<'_> {
    pub(super) fn flatten_old(&mut self, schema: &Value, at: &str) -> Result<Object, Error> {
        self.flatten(Side::First, schema, at)
    }

    pub(super) fn flatten_new(&mut self, schema: &Value, at: &str) -> Result<Object, Error> {
        self.flatten(Side::Second, schema, at)
    }

    pub(super) fn flatten(
        &mut self,
        side: Side,
        schema: &Value,
        at: &str,
    ) -> Result<Object, Error> {
        self.flat(side, schema, at, &mut Vec::new()).map_err(|error| error.on(side))
    }

    /// `open` holds the references on the way here.
    fn flat(
        &mut self,
        side: Side,
        schema: &Value,
        at: &str,
        open: &mut Vec<String>,
    ) -> Result<Object, Error> {
        self.count()?;
        let root = match side {
            Side::First => self.old,
            Side::Second => self.new,
        };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            if open.iter().any(|other| other == target) {
                return Err(Error::RefCycle {
                    pointer: at.to_owned(),
                    reference: target.to_owned(),
                });
            }
            if open.len() > MAX_DEPTH {
                return Err(Error::TooDeep { pointer: at.to_owned(), limit: MAX_DEPTH });
            }
            open.push(target.to_owned());
            let flat = self.flat(side, resolve(root, target, at)?, at, open);
            open.pop();
            return flat;
        }
        let mut whole = schema.as_object().cloned().unwrap_or_default();
        let Some(Value::Array(parts)) = whole.remove("allOf") else {
            return Ok(whole);
        };
        // By custom, `nullable` beside `allOf` makes the whole nullable; without it, every part must allow null.
        let mut nullable = !whole.contains_key("type");
        let said = whole.remove("nullable") == Some(Value::Bool(true));
        for part in &parts {
            let mut part = self.flat(side, part, at, open)?;
            nullable &= part.remove("nullable") == Some(Value::Bool(true));
            merge(&mut whole, part);
        }
        if said || nullable {
            whole.insert("nullable".to_owned(), Value::Bool(true));
        }
        Ok(whole)
    }
}

/// Both sides hold. Where that cannot be said in one keyword, what stands beside `allOf` wins over its parts.
fn merge(whole: &mut Object, part: Object) {
    for (key, value) in part {
        let Some(mine) = whole.get_mut(&key) else {
            whole.insert(key, value);
            continue;
        };
        match (key.as_str(), mine, value) {
            ("properties", Value::Object(mine), Value::Object(theirs)) => {
                for (name, schema) in theirs {
                    match mine.get_mut(&name) {
                        Some(both) if *both != schema => {
                            *both = json!({"allOf": [both.take(), schema]})
                        }
                        Some(_) => {}
                        None => drop(mine.insert(name, schema)),
                    }
                }
            }
            ("required", Value::Array(mine), Value::Array(theirs)) => {
                let new: Vec<Value> =
                    theirs.into_iter().filter(|name| !mine.contains(name)).collect();
                mine.extend(new);
            }
            ("enum", Value::Array(mine), Value::Array(theirs)) => {
                mine.retain(|value| theirs.contains(value))
            }
            ("additionalProperties", mine, Value::Bool(false)) => *mine = false.into(),
            (key, mine, theirs) if key.starts_with("min") && less(mine, &theirs) => *mine = theirs,
            (key, mine, theirs) if key.starts_with("max") && less(&theirs, mine) => *mine = theirs,
            _ => {}
        }
    }
}

fn less(a: &Value, b: &Value) -> bool {
    a.as_f64() < b.as_f64()
}

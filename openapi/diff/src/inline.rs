//! Replaces references by their targets, except those to component schemas, which may be recursive. It must end on any
//! input: cycles are errors, and what a few references can multiply to is limited.

use serde_json::{Map, Value};

use crate::Error;
use crate::pointer::{resolve, schema_name};
use crate::slots::{Kind, Visit, reference};

/// Objects that references may be replaced by, over the whole document.
const MAX_INLINED: usize = 100_000;

pub(crate) struct Inline<'a> {
    root: &'a Value,
    /// References being expanded: where each stood, and its target.
    open: Vec<(String, String)>,
    count: usize,
}

impl<'a> Inline<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { root, open: Vec::new(), count: 0 }
    }

    fn follow(&mut self, target: &str, at: &str) -> Result<Value, Error> {
        if self.open.iter().any(|(_, open)| open == target) {
            return Err(Error::RefCycle { pointer: at.to_owned(), reference: target.to_owned() });
        }
        self.count += 1;
        if self.count > MAX_INLINED {
            return Err(Error::TooLarge {
                what: "objects after replacing references by their targets",
                limit: MAX_INLINED,
            });
        }
        let value = resolve(self.root, target, at)?;
        self.open.push((at.to_owned(), target.to_owned()));
        Ok(value.clone())
    }
}

impl Visit for Inline<'_> {
    fn enter(&mut self, kind: Kind, value: &mut Value, at: &str) -> Result<(), Error> {
        while let Value::Object(map) = &*value {
            let Some(target) = reference(map, at)? else {
                break;
            };
            if kind == Kind::Schema && schema_name(target).is_some() {
                let found = resolve(self.root, target, at)?;
                if !found.is_object() {
                    return Err(Error::malformed(at, format!("`$ref: {target}` is not a schema")));
                }
                break;
            }
            *value = self.follow(target, at)?;
        }
        Ok(())
    }

    fn leave(&mut self, _: Kind, _: &mut Map<String, Value>, at: &str) -> Result<(), Error> {
        while self.open.last().is_some_and(|(place, _)| place == at) {
            self.open.pop();
        }
        Ok(())
    }
}

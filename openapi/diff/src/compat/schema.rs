//! Two schemas in one direction: a request schema may only accept more, a response schema may only promise more. The
//! walk never recurses through two references at once, so recursive schemas end and each component is reported once.

use serde_json::Value;

use super::{Check, Object, is_on};
use crate::pointer::{MAX_DEPTH, join, resolve, schema_name};
use crate::{Direction, Error};

/// Schema pairs and `allOf` parts looked at in one comparison.
const MAX_COMPARED: usize = 1_000_000;

/// Keywords that may stand beside a reference without making it another type.
const BESIDE: [&str; 9] = [
    "allOf",
    "default",
    "deprecated",
    "description",
    "example",
    "externalDocs",
    "nullable",
    "readOnly",
    "writeOnly",
];

impl Check<'_> {
    /// Compares two schemas that are used at `at`.
    pub(super) fn schema(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        self.count()?;
        let (Some(from), Some(to)) = (named(old), named(new)) else {
            return self.in_place(old, new, at, direction);
        };
        if is_on(old, "nullable") != is_on(new, "nullable") {
            let (old, new) = (self.flatten_old(old, at)?, self.flatten_new(new, at)?);
            self.null(&old, &new, at, direction);
        }
        self.default(old.get("default"), new.get("default"), at, direction);
        let pair = (from.to_owned(), to.to_owned(), direction);
        if self.known.insert(pair.clone()) {
            self.queue.push_back(pair);
        }
        Ok(())
    }

    /// Compares the component schemas met so far, and those met on the way.
    pub(super) fn queued(&mut self) -> Result<(), Error> {
        while let Some((from, to, direction)) = self.queue.pop_front() {
            let at = from.trim_start_matches('#').to_owned();
            let (old, new) = (resolve(self.old, &from, &at)?, resolve(self.new, &to, &at)?);
            self.schema(old, new, &at, direction)?;
        }
        Ok(())
    }

    fn in_place(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        let pair = (old.to_string(), new.to_string());
        if self.path.contains(&pair) {
            return Ok(());
        }
        if self.path.len() > MAX_DEPTH {
            return Err(Error::TooDeep { pointer: at.to_owned(), limit: MAX_DEPTH });
        }
        self.path.push(pair);
        let done = self.whole(old, new, at, direction);
        self.path.pop();
        done
    }

    fn whole(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        let (was, is) = (self.flatten_old(old, at)?, self.flatten_new(new, at)?);
        self.default(was.get("default"), is.get("default"), at, direction);
        if self.union((old, &was), (new, &is), at, direction)?
            || !self.types(&was, &is, at, direction)
        {
            return Ok(());
        }
        let (was, is) = (&was, &is);
        self.null(was, is, at, direction);
        self.values(was, is, at, direction);
        self.bounds(was, is, at, direction);
        self.verbatim(was, is, at, direction);
        if was.contains_key("items") || is.contains_key("items") {
            let item = |schema: &Object| schema.get("items").cloned().unwrap_or_else(any);
            self.schema(&item(was), &item(is), &join(at, "items"), direction)?;
        }
        self.properties(was, is, at, direction)
    }

    pub(super) fn count(&mut self) -> Result<(), Error> {
        self.compared += 1;
        if self.compared > MAX_COMPARED {
            return Err(Error::TooLarge { what: "schema pairs to compare", limit: MAX_COMPARED });
        }
        Ok(())
    }
}

/// The schema that accepts everything.
pub(super) fn any() -> Value {
    Value::Object(Object::new())
}

/// The component a schema stands for: a reference, or one wrapped to say something about this use of it.
pub(super) fn named(schema: &Value) -> Option<&str> {
    let direct = schema.get("$ref");
    let wrapped = || {
        let map = schema.as_object()?;
        let plain = map.keys().all(|key| BESIDE.contains(&key.as_str()) || key.starts_with("x-"));
        match map.get("allOf")?.as_array()?.as_slice() {
            [part] if plain => part.get("$ref"),
            _ => None,
        }
    };
    let target = direct.or_else(wrapped)?.as_str()?;
    schema_name(target).map(|_| target)
}

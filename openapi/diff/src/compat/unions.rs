//! `oneOf` and `anyOf`: which alternative of one document is which of the other. Order means nothing; an alternative is
//! known by its reference, its tag, its title or its text.

use serde_json::Value;

use super::schema::named;
use super::{Check, Object, by, rules};
use crate::pointer::join;
use crate::{Direction, Error};

/// What a schema may say while being nothing but its alternatives.
const BARE: [&str; 10] = [
    "oneOf",
    "anyOf",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "externalDocs",
    "nullable",
    "title",
];

impl Check<'_> {
    /// Compares the alternatives. True when that was all there is: one side has none, and so counts as one itself, and
    /// the other has nothing else.
    /// Each side comes as it stands in the document, and flattened.
    pub(super) fn union(
        &mut self,
        (old, old_flat): (&Value, &Object),
        (new, new_flat): (&Value, &Object),
        at: &str,
        direction: Direction,
    ) -> Result<bool, Error> {
        let (was, is) = (branches(old_flat), branches(new_flat));
        let one_sided = was.is_empty() != is.is_empty();
        if was.is_empty() && is.is_empty() {
            return Ok(false);
        }
        if one_sided {
            self.null(old_flat, new_flat, at, direction);
        }
        let keyword = ["oneOf", "anyOf"]
            .into_iter()
            .find(|key| old_flat.contains_key(*key) || new_flat.contains_key(*key));
        let at = join(at, keyword.unwrap_or("oneOf"));
        let was = if was.is_empty() { vec![old] } else { was };
        let is = if is.is_empty() { vec![new] } else { is };
        self.match_branches(was, is, &at, direction)?;
        let union = if branches(old_flat).is_empty() { new_flat } else { old_flat };
        Ok(one_sided && union.keys().all(|key| BARE.contains(&key.as_str())))
    }

    fn match_branches(
        &mut self,
        old: Vec<&Value>,
        mut new: Vec<&Value>,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        let mut gone = Vec::new();
        for was in old {
            match new.iter().position(|is| same(was, is)) {
                Some(index) => self.schema(was, new.remove(index), &place(at, was), direction)?,
                None => gone.push(was),
            }
        }
        // As many as there were: taken for changed ones, in order, so that the change itself is reported.
        if gone.len() == new.len() {
            for (was, is) in gone.into_iter().zip(new) {
                self.schema(was, is, &place(at, was), direction)?;
            }
            return Ok(());
        }
        let (changed, verb) = match direction {
            Direction::Request => (gone, "gone"),
            Direction::Response => (new, "new"),
        };
        for branch in changed {
            let detail = format!(
                "the alternative {} is {verb}",
                label(branch).unwrap_or_else(|| branch.to_string())
            );
            self.report(
                by(direction, rules::REQUEST_BRANCH, rules::RESPONSE_BRANCH),
                place(at, branch),
                &detail,
            );
        }
        Ok(())
    }
}

fn branches(schema: &Object) -> Vec<&Value> {
    let lists = ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    lists.flatten().collect()
}

fn same(a: &Value, b: &Value) -> bool {
    match (label(a), label(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// A name that survives a change of the schema, and reordering.
fn label(branch: &Value) -> Option<String> {
    let name = named(branch).map(|target| target.rsplit('/').next().unwrap_or(target).to_owned());
    let tag = || {
        let mut tags =
            branch.get("properties")?.as_object()?.iter().filter_map(|(key, property)| {
                match property.get("enum")?.as_array()?.as_slice() {
                    [Value::String(only)] => Some(format!("{key}={only}")),
                    _ => None,
                }
            });
        tags.next()
    };
    let title = || branch.get("title")?.as_str().map(str::to_owned);
    name.or_else(tag).or_else(title)
}

/// Where an alternative is reported: by name rather than by number, so that allow lists survive reordering.
fn place(at: &str, branch: &Value) -> String {
    let kind = || branch.get("type").and_then(Value::as_str).map(str::to_owned);
    let name = label(branch).or_else(kind).unwrap_or_else(|| "*".to_owned());
    join(at, &name)
}

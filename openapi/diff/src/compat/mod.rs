//! Breaking changes between two versions of a document, seen from clients of the old one. In doubt a change counts as
//! breaking: an allow list can accept it, but nobody can accept what was not reported.

mod bodies;
mod bounds;
mod flatten;
mod objects;
mod operations;
mod parameters;
pub(crate) mod rules;
mod schema;
mod security;
mod unions;
mod values;

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value};

use crate::error::Side;
use crate::{Direction, Error, Finding, canonical};
use rules::Rule;

type Object = Map<String, Value>;

/// Lists what breaks clients of `old` when the server moves to `new`, ordered by place.
///
/// A component schema used in many places is reported once per direction, at its own place.
///
/// # Errors
/// When one of the documents cannot be normalised, or their schemas are too entangled to be compared.
pub fn compat(old: &Value, new: &Value) -> Result<Vec<Finding>, Error> {
    let old = canonical(old).map_err(|error| error.on(Side::First))?;
    let new = canonical(new).map_err(|error| error.on(Side::Second))?;
    let mut check = Check {
        old: &old,
        new: &new,
        findings: Vec::new(),
        known: HashSet::new(),
        queue: VecDeque::new(),
        path: Vec::new(),
        compared: 0,
    };
    check.operations()?;
    check.components();
    check.queued()?;
    check.findings.sort();
    check.findings.dedup();
    Ok(check.findings)
}

/// One comparison under way.
struct Check<'a> {
    old: &'a Value,
    new: &'a Value,
    findings: Vec<Finding>,
    /// Pairs of component schemas that are compared already, or wait in `queue`: this is what ends recursive schemas.
    known: HashSet<(String, String, Direction)>,
    queue: VecDeque<(String, String, Direction)>,
    /// The schema pairs around the current one.
    path: Vec<(String, String)>,
    compared: usize,
}

impl Check<'_> {
    fn report(&mut self, rule: &'static Rule, pointer: impl Into<String>, detail: &str) {
        self.findings.push(Finding {
            pointer: pointer.into(),
            rule: rule.id,
            direction: rule.direction,
            message: format!("{detail}. Who breaks: {}. Instead: {}.", rule.breaks, rule.instead),
        });
    }

    /// Schemas that are gone by name. What they say is compared where they are used.
    fn components(&mut self) {
        const SCHEMAS: &str = "/components/schemas";
        let (old, new) = (self.old.pointer(SCHEMAS), self.new.pointer(SCHEMAS));
        for name in old.and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if new.is_none_or(|new| new.get(name).is_none()) {
                let at = crate::pointer::join(SCHEMAS, name);
                self.report(rules::SCHEMA_REMOVED, at, &format!("schema `{name}` is gone"));
            }
        }
    }
}

/// The twin of a rule for the direction at hand.
fn by(direction: Direction, request: &'static Rule, response: &'static Rule) -> &'static Rule {
    match direction {
        Direction::Request => request,
        Direction::Response => response,
    }
}

/// The entries of the map `key`; none when it is absent.
fn entries<'v>(
    value: &'v Value,
    key: &str,
) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn is_on(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

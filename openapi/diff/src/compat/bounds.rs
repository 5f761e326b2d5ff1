//! Limits and other keywords of a single value: a request may only be allowed more, a response may only promise more.

use serde_json::Value;

use super::rules::Rule;
use super::{Check, Object, by, rules};
use crate::Direction;
use crate::pointer::join;

/// Keyword, the flag that makes it exclusive, and the sign with which a larger number is the tighter bound.
const BOUNDS: [(&str, &str, f64); 8] = [
    ("minimum", "exclusiveMinimum", 1.0),
    ("maximum", "exclusiveMaximum", -1.0),
    ("minLength", "", 1.0),
    ("maxLength", "", -1.0),
    ("minItems", "", 1.0),
    ("maxItems", "", -1.0),
    ("minProperties", "", 1.0),
    ("maxProperties", "", -1.0),
];

/// Keywords whose change is taken for a break in both directions, since nobody can compute which values it affects.
const VERBATIM: [(&str, &Rule, &Rule); 4] = [
    ("format", rules::REQUEST_FORMAT, rules::RESPONSE_FORMAT),
    ("not", rules::REQUEST_NOT, rules::RESPONSE_NOT),
    ("xml", rules::REQUEST_XML, rules::RESPONSE_XML),
    ("discriminator", rules::REQUEST_DISCRIMINATOR, rules::RESPONSE_DISCRIMINATOR),
];

impl Check<'_> {
    pub(super) fn bounds(&mut self, old: &Object, new: &Object, at: &str, direction: Direction) {
        for (keyword, exclusive, sign) in BOUNDS {
            let tightness = |schema: &Object| {
                let bound = schema.get(keyword)?.as_f64()?;
                Some((sign * bound, schema.get(exclusive) == Some(&Value::Bool(true))))
            };
            // No bound is `None`, which is less than any.
            let (was, is) = (tightness(old), tightness(new));
            self.bound(keyword, is > was, is < was, at, direction);
        }
        let multiple = |schema: &Object| schema.get("multipleOf").and_then(Value::as_f64);
        let (was, is) = (multiple(old), multiple(new));
        let divides = |step: Option<f64>, other: Option<f64>| match (step, other) {
            (None, _) => true,
            (Some(step), Some(other)) => other % step == 0.0,
            (Some(_), None) => false,
        };
        self.bound("multipleOf", !divides(is, was), !divides(was, is), at, direction);
        let unique = |schema: &Object| schema.get("uniqueItems") == Some(&Value::Bool(true));
        self.bound(
            "uniqueItems",
            unique(new) && !unique(old),
            unique(old) && !unique(new),
            at,
            direction,
        );
        self.pattern(old, new, at, direction);
    }

    fn bound(
        &mut self,
        keyword: &str,
        tighter: bool,
        looser: bool,
        at: &str,
        direction: Direction,
    ) {
        let (breaks, rule) = match direction {
            Direction::Request => (tighter, rules::REQUEST_BOUND),
            Direction::Response => (looser, rules::RESPONSE_BOUND),
        };
        if breaks {
            self.report(rule, join(at, keyword), &format!("`{keyword}` changed"));
        }
    }

    /// Whoever reads must not be stricter than before; two patterns are never known to mean the same.
    fn pattern(&mut self, old: &Object, new: &Object, at: &str, direction: Direction) {
        let (was, is) = (old.get("pattern"), new.get("pattern"));
        let reader = match direction {
            Direction::Request => is,
            Direction::Response => was,
        };
        if was != is && reader.is_some() {
            let rule = by(direction, rules::REQUEST_PATTERN, rules::RESPONSE_PATTERN);
            self.report(rule, join(at, "pattern"), "`pattern` changed");
        }
    }

    pub(super) fn verbatim(&mut self, old: &Object, new: &Object, at: &str, direction: Direction) {
        for (keyword, request, response) in VERBATIM {
            if old.get(keyword) != new.get(keyword) {
                self.report(
                    by(direction, request, response),
                    join(at, keyword),
                    &format!("`{keyword}` changed"),
                );
            }
        }
    }
}

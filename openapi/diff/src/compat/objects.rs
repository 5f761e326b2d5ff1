//! Objects: properties, which of them are required, and what else is allowed. A `readOnly` property is absent from
//! requests and a `writeOnly` one from responses, so turning either on removes the property there.

use serde_json::{Map, Value};

use super::{Check, Object, by, rules};
use crate::error::Side;
use crate::pointer::join;
use crate::{Direction, Error};

impl Check<'_> {
    pub(super) fn properties(
        &mut self,
        old: &Object,
        new: &Object,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        let (was, is) = (
            self.visible(Side::First, old, at, direction)?,
            self.visible(Side::Second, new, at, direction)?,
        );
        let place = |name: &str| join(&join(at, "properties"), name);
        for (name, schema) in &was {
            match is.get(name) {
                Some(other) => self.schema(schema, other, &place(name), direction)?,
                None => {
                    let rule = by(
                        direction,
                        rules::REQUEST_PROPERTY_REMOVED,
                        rules::RESPONSE_PROPERTY_REMOVED,
                    );
                    self.report(rule, place(name), &format!("property `{name}` is gone"));
                }
            }
        }
        if direction == Direction::Response && closed(old) {
            for name in is.keys().filter(|name| !was.contains_key(*name)) {
                let detail = format!("property `{name}` is new in a closed schema");
                self.report(rules::RESPONSE_CLOSED_PROPERTY, place(name), &detail);
            }
        }
        // A required name counts only where the property can be: it is visible, or free-form.
        let must = |schema: &Object, seen: &Object, name: &str| {
            let declared = schema.get("properties").is_some_and(|all| all.get(name).is_some());
            required(schema).any(|other| other == name) && (seen.contains_key(name) || !declared)
        };
        match direction {
            Direction::Request => {
                for name in
                    required(new).filter(|name| must(new, &is, name) && !must(old, &was, name))
                {
                    let detail = format!("property `{name}` is required now");
                    self.report(rules::REQUEST_PROPERTY_REQUIRED, place(name), &detail);
                }
            }
            Direction::Response => {
                let kept = |name: &str| is.contains_key(name) || !was.contains_key(name);
                for name in required(old)
                    .filter(|name| must(old, &was, name) && !must(new, &is, name) && kept(name))
                {
                    let detail = format!("property `{name}` may be absent now");
                    self.report(rules::RESPONSE_PROPERTY_OPTIONAL, place(name), &detail);
                }
            }
        }
        self.additional(old, new, at, direction)
    }

    fn additional(
        &mut self,
        old: &Object,
        new: &Object,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        let at = join(at, "additionalProperties");
        match (closed(old), closed(new), direction) {
            (true, true, _) | (true, _, Direction::Request) | (_, true, Direction::Response) => {}
            (false, true, Direction::Request) => {
                self.report(rules::REQUEST_CLOSED, at, "other properties are refused now");
            }
            (true, false, Direction::Response) => {
                self.report(rules::RESPONSE_OPENED, at, "other properties may occur now");
            }
            (false, false, _)
                if [old, new].iter().any(|side| side.contains_key("additionalProperties")) =>
            {
                let extra = |schema: &Object| {
                    schema.get("additionalProperties").cloned().unwrap_or_else(super::schema::any)
                };
                let (was, is) = (extra(old), extra(new));
                self.schema(&was, &is, &at, direction)?;
            }
            (false, false, _) => {}
        }
        Ok(())
    }

    /// The properties that travel in this direction.
    fn visible(
        &mut self,
        side: Side,
        schema: &Object,
        at: &str,
        direction: Direction,
    ) -> Result<Object, Error> {
        let hidden = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let all = schema.get("properties").and_then(Value::as_object);
        let mut visible = Map::new();
        for (name, property) in all.into_iter().flatten() {
            if self.flatten(side, property, at)?.get(hidden) != Some(&Value::Bool(true)) {
                visible.insert(name.clone(), property.clone());
            }
        }
        Ok(visible)
    }
}

fn closed(schema: &Object) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

fn required(schema: &Object) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

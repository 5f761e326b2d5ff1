//! Parameters of an operation, matched by place and name; path parameters by their position in the template.

use serde_json::Value;

use super::{Check, entries, is_on, rules};
use crate::pointer::join;
use crate::{Direction, Error};

impl Check<'_> {
    pub(super) fn parameters(
        &mut self,
        old: &Value,
        new: &Value,
        renames: &[(&str, &str)],
        at: &str,
    ) -> Result<(), Error> {
        let at = join(at, "parameters");
        for (from, to) in renames {
            let place = join(&at, &format!("path:{from}"));
            self.report(
                rules::PATH_PARAMETER_RENAMED,
                place,
                &format!("path parameter `{from}` is now `{to}`"),
            );
        }
        // Header names are the same in any case.
        let wire_name = |key: &str| match key.strip_prefix("header:") {
            Some(name) => format!("header:{}", name.to_ascii_lowercase()),
            None => key.to_owned(),
        };
        let renamed = |key: &str| {
            let to = renames.iter().find(|(from, _)| key.strip_prefix("path:") == Some(from));
            to.map_or_else(|| wire_name(key), |(_, to)| format!("path:{to}"))
        };
        for (key, was) in entries(old, "parameters") {
            let place = join(&at, key);
            match entries(new, "parameters").find(|(other, _)| wire_name(other) == renamed(key)) {
                Some((_, is)) => self.parameter(was, is, &place)?,
                // The template still has it, or the operation would be another one.
                None if key.starts_with("path:") => {}
                None => self.report(
                    rules::PARAMETER_REMOVED,
                    place,
                    &format!("parameter `{key}` is gone"),
                ),
            }
        }
        for (key, is) in entries(new, "parameters") {
            let known =
                entries(old, "parameters").any(|(other, _)| renamed(other) == wire_name(key));
            if !known && is_on(is, "required") && !key.starts_with("path:") {
                let detail = format!("parameter `{key}` is new and required");
                self.report(rules::PARAMETER_REQUIRED, join(&at, key), &detail);
            }
        }
        Ok(())
    }

    fn parameter(&mut self, old: &Value, new: &Value, at: &str) -> Result<(), Error> {
        if is_on(new, "required")
            && !is_on(old, "required")
            && old.get("in") != Some(&"path".into())
        {
            self.report(rules::PARAMETER_REQUIRED, at, "the parameter is required now");
        }
        if is_on(old, "allowEmptyValue") && !is_on(new, "allowEmptyValue") {
            self.report(
                rules::PARAMETER_EMPTY,
                at,
                "a parameter without value is no longer allowed",
            );
        }
        let encoding = ["style", "explode", "allowReserved"]
            .iter()
            .any(|field| old.get(field) != new.get(field));
        if encoding || old.get("content").is_some() != new.get("content").is_some() {
            self.report(rules::PARAMETER_ENCODING, at, "the parameter is encoded differently");
            return Ok(());
        }
        if old.get("content").is_some() {
            return self.content(old, new, at, Direction::Request);
        }
        self.schema_of(old, new, at, Direction::Request)
    }
}

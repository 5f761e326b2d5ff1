//! What is sent and received: request bodies, responses by status, their headers and media types.

use serde_json::Value;

use super::{Check, by, entries, is_on, rules};
use crate::pointer::join;
use crate::{Direction, Error};

impl Check<'_> {
    pub(super) fn request_body(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        sent: Direction,
    ) -> Result<(), Error> {
        let at = join(at, "requestBody");
        match (old.get("requestBody"), new.get("requestBody")) {
            (None, None) => {}
            (Some(_), None) => self.report(rules::BODY_REMOVED, at, "the request body is gone"),
            (None, Some(is)) if is_on(is, "required") && sent == Direction::Request => {
                self.report(rules::BODY_REQUIRED, at, "a request body is new and required");
            }
            (None, Some(_)) => {}
            (Some(was), Some(is)) => {
                if is_on(is, "required") && !is_on(was, "required") && sent == Direction::Request {
                    self.report(
                        rules::BODY_REQUIRED,
                        at.as_str(),
                        "the request body is required now",
                    );
                }
                self.content(was, is, &at, sent)?;
            }
        }
        Ok(())
    }

    pub(super) fn responses(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        received: Direction,
    ) -> Result<(), Error> {
        let at = join(at, "responses");
        let statuses = |operation| {
            entries(operation, "responses").filter(|(status, _)| !status.starts_with("x-"))
        };
        for (status, was) in statuses(old) {
            let place = join(&at, status);
            match covering(new, status) {
                Some(is) => self.response(was, is, &place, received)?,
                None => {
                    self.report(rules::STATUS_REMOVED, place, &format!("status {status} is gone"))
                }
            }
        }
        for (status, is) in statuses(new) {
            if old.get("responses").is_some_and(|all| all.get(status).is_some()) {
                continue;
            }
            let place = join(&at, status);
            match covering(old, status) {
                // The old document announced it by a range or by `default`.
                Some(was) => self.response(was, is, &place, received)?,
                None => self.report(rules::STATUS_ADDED, place, &format!("status {status} is new")),
            }
        }
        Ok(())
    }

    fn response(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        received: Direction,
    ) -> Result<(), Error> {
        for (name, was) in entries(old, "headers") {
            let place = join(&join(at, "headers"), name);
            match entries(new, "headers").find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                None => self.report(
                    rules::HEADER_REMOVED,
                    place,
                    &format!("response header `{name}` is gone"),
                ),
                Some((_, is)) => {
                    if is_on(was, "required") && !is_on(is, "required") {
                        let detail = format!("response header `{name}` may be absent now");
                        self.report(rules::HEADER_OPTIONAL, place.as_str(), &detail);
                    }
                    self.schema_of(was, is, &place, received)?;
                }
            }
        }
        if old.get("content").is_none() && new.get("content").is_some() {
            self.report(rules::RESPONSE_BODY_ADDED, at, "the response has a body now");
        }
        self.content(old, new, at, received)
    }

    pub(super) fn content(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        for (media_type, was) in entries(old, "content") {
            let place = join(&join(at, "content"), media_type);
            let Some(is) = offered(new, media_type) else {
                let rule = by(
                    direction,
                    rules::REQUEST_MEDIA_TYPE_REMOVED,
                    rules::RESPONSE_MEDIA_TYPE_REMOVED,
                );
                self.report(rule, place, &format!("media type `{media_type}` is gone"));
                continue;
            };
            for (part, encoding) in entries(was, "encoding") {
                if is.get("encoding").and_then(|all| all.get(part)) != Some(encoding) {
                    let place = join(&join(&place, "encoding"), part);
                    let rule = by(direction, rules::REQUEST_ENCODING, rules::RESPONSE_ENCODING);
                    self.report(rule, place, &format!("part `{part}` is encoded differently"));
                }
            }
            self.schema_of(was, is, &place, direction)?;
        }
        Ok(())
    }

    /// Compares the `schema` of two parameters, headers or media types; an absent one allows everything.
    pub(super) fn schema_of(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        direction: Direction,
    ) -> Result<(), Error> {
        let any = Value::Object(super::Object::new());
        let schema = |place: &'_ Value| place.get("schema").cloned().unwrap_or_else(|| any.clone());
        self.schema(&schema(old), &schema(new), &join(at, "schema"), direction)
    }
}

/// The response that applies to a status: its own, its range's (`4XX`), or `default`.
fn covering<'v>(operation: &'v Value, status: &str) -> Option<&'v Value> {
    let responses = operation.get("responses")?;
    let range = status.get(..1).map(|class| format!("{class}XX"));
    let range = range.filter(|_| status != "default");
    responses.get(status).or_else(|| responses.get(range?)).or_else(|| responses.get("default"))
}

/// The entry of `content` that takes a media type: its own, or a range such as `text/*`.
fn offered<'v>(place: &'v Value, media_type: &str) -> Option<&'v Value> {
    let content = place.get("content")?;
    let range = media_type.split_once('/').map(|(class, _)| format!("{class}/*"));
    content.get(media_type).or_else(|| content.get(range?)).or_else(|| content.get("*/*"))
}

//! Paths and methods: which operation of the new document answers the calls of the old one. A path is matched by its
//! template, since the name between braces never crosses the wire.

use serde_json::Value;

use super::{Check, entries, rules};
use crate::pointer::join;
use crate::slots::METHODS;
use crate::{Direction, Error};

impl Check<'_> {
    pub(super) fn operations(&mut self) -> Result<(), Error> {
        let (old, new) = (self.old, self.new);
        self.security_schemes();
        self.servers(&[old], &[new], "");
        for (path, item) in paths(old) {
            let twin = twin(old, new, path);
            for method in METHODS {
                let Some(was) = item.get(method) else {
                    continue;
                };
                let at = join(&join("/paths", path), method);
                let Some((new_path, new_item)) =
                    twin.filter(|(_, item)| item.get(method).is_some())
                else {
                    self.report(rules::OPERATION_REMOVED, at, "the operation is gone");
                    continue;
                };
                let is = &new_item[method];
                self.parameters(was, is, &renames(path, new_path), &at)?;
                self.security(was, is, &at);
                if [item, was, new_item, is].iter().any(|place| place.get("servers").is_some()) {
                    self.servers(&[was, item, old], &[is, new_item, new], &at);
                }
                self.operation(was, is, &at, Direction::Request)?;
            }
        }
        Ok(())
    }

    /// What operations and callbacks share; `sent` is the direction of the request body.
    fn operation(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        sent: Direction,
    ) -> Result<(), Error> {
        if let Some(was) = old.get("operationId")
            && new.get("operationId") != Some(was)
        {
            let is = new.get("operationId").unwrap_or(&Value::Null);
            let detail = format!("operationId {was} is now {is}");
            self.report(rules::OPERATION_ID_CHANGED, join(at, "operationId"), &detail);
        }
        self.request_body(old, new, at, sent)?;
        self.responses(old, new, at, sent.other())?;
        self.callbacks(old, new, at, sent.other())
    }

    /// In a callback the server is the one that asks, so everything is seen from the other side.
    fn callbacks(
        &mut self,
        old: &Value,
        new: &Value,
        at: &str,
        sent: Direction,
    ) -> Result<(), Error> {
        for (name, callback) in entries(old, "callbacks") {
            for (expression, item) in callback.as_object().into_iter().flatten() {
                let twin = new.get("callbacks").and_then(|all| all.get(name)?.get(expression));
                for method in METHODS {
                    let Some(was) = item.get(method) else {
                        continue;
                    };
                    let place = join(&join(at, "callbacks"), name);
                    let place = join(&join(&place, expression), method);
                    match twin.and_then(|twin| twin.get(method)) {
                        Some(is) => self.operation(was, is, &place, sent)?,
                        None => self.report(rules::CALLBACK_REMOVED, place, "the callback is gone"),
                    }
                }
            }
        }
        Ok(())
    }

    /// The base URLs of the first place that names any. The last place is the document, for which `/` is assumed.
    fn servers(&mut self, old: &[&Value], new: &[&Value], at: &str) {
        let new = urls(new);
        for url in urls(old).iter().filter(|url| !new.contains(url)) {
            let detail = format!("server `{url}` is gone");
            self.report(rules::SERVER_REMOVED, join(at, "servers"), &detail);
        }
    }
}

fn urls<'v>(places: &[&'v Value]) -> Vec<&'v str> {
    let list = places.iter().find_map(|place| place.get("servers")?.as_array());
    list.map_or(vec!["/"], |servers| {
        servers.iter().filter_map(|server| server.get("url")?.as_str()).collect()
    })
}

fn paths(doc: &Value) -> impl Iterator<Item = (&String, &Value)> {
    entries(doc, "paths").filter(|(path, _)| !path.starts_with("x-"))
}

/// The same path in `new`, or else the one that differs in the names of its parameters only.
fn twin<'v>(old: &Value, new: &'v Value, path: &str) -> Option<(&'v String, &'v Value)> {
    let same = paths(new).find(|(candidate, _)| *candidate == path);
    same.or_else(|| {
        paths(new).find(|(candidate, _)| {
            let is_taken = paths(old).any(|(path, _)| path == *candidate);
            !is_taken && template(candidate).0 == template(path).0
        })
    })
}

/// Parameter names that differ between two paths of one template.
fn renames<'v>(old: &'v str, new: &'v str) -> Vec<(&'v str, &'v str)> {
    let names = template(old).1.into_iter().zip(template(new).1);
    names.filter(|(from, to)| from != to).collect()
}

/// A path without the names of its parameters, and these names.
fn template(path: &str) -> (String, Vec<&str>) {
    let mut text = String::new();
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str("{}");
        names.push(name);
        rest = after;
    }
    text.push_str(rest);
    (text, names)
}

//! Where in a document which OpenAPI object stands. Documents are walked by position, never by shape: a property named
//! `type`, an example that looks like a schema and an `x-` extension are data and must never be touched.

use serde_json::{Map, Value};

use crate::Error;
use crate::pointer::{MAX_DEPTH, join};

/// The kinds of object that the walk tells apart; `Plain` has nothing of interest below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Document,
    Info,
    Components,
    PathItem,
    Operation,
    Callback,
    Parameter,
    Header,
    RequestBody,
    Response,
    MediaType,
    Encoding,
    Schema,
    SecurityScheme,
    Example,
    Link,
    Server,
    Plain,
}

pub(crate) const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

enum Slot {
    One(Kind),
    List(Kind),
    Map(Kind),
    /// A map in which `x-` keys are extensions rather than names.
    Patterned(Kind),
}

fn slot(kind: Kind, key: &str, value: &Value) -> Option<Slot> {
    use Kind::*;
    use Slot::*;
    Some(match (kind, key) {
        (Document, "info") => One(Info),
        (Document, "paths") => Patterned(PathItem),
        (Document, "components") => One(Components),
        (Document, "tags") => List(Plain),
        (Document | PathItem | Operation, "servers") => List(Server),
        (Server, "variables") => Map(Plain),
        (Info, "license" | "contact") | (_, "externalDocs") => One(Plain),
        (Components, "schemas") | (Schema, "properties") => Map(Schema),
        (Components, "responses") => Map(Response),
        (Components, "parameters") => Map(Parameter),
        (Components, "requestBodies") => Map(RequestBody),
        (Components, "securitySchemes") => Map(SecurityScheme),
        (Components | Response | Encoding, "headers") => Map(Header),
        (Components | Response, "links") => Map(Link),
        (Components | Operation, "callbacks") => Map(Callback),
        (Components | Parameter | Header | MediaType, "examples") => Map(Example),
        (PathItem, method) if METHODS.contains(&method) => One(Operation),
        (PathItem | Operation, "parameters") => List(Parameter),
        (Operation, "requestBody") => One(RequestBody),
        (Operation, "responses") => Patterned(Response),
        (Callback, expression) if !expression.starts_with("x-") => One(PathItem),
        (Parameter | Header | RequestBody | Response, "content") => Map(MediaType),
        (Parameter | Header | MediaType, "schema") => One(Schema),
        (MediaType, "encoding") => Map(Encoding),
        (Link, "server") => One(Server),
        (Schema, "additionalProperties") if value.is_boolean() => return None,
        (Schema, "items" | "additionalProperties" | "not") => One(Schema),
        (Schema, "allOf" | "oneOf" | "anyOf") => List(Schema),
        _ => return None,
    })
}

/// What to do at each object: `enter` before its children (it may replace the object), `leave` after them.
pub(crate) trait Visit {
    fn enter(&mut self, kind: Kind, value: &mut Value, at: &str) -> Result<(), Error>;
    fn leave(&mut self, kind: Kind, map: &mut Map<String, Value>, at: &str) -> Result<(), Error>;
}

/// Walks a whole document, and on the way refuses whatever has the wrong shape for its place.
pub(crate) fn walk(visit: &mut dyn Visit, doc: &mut Value) -> Result<(), Error> {
    step(visit, Kind::Document, doc, "", 0)
}

fn step(
    visit: &mut dyn Visit,
    kind: Kind,
    value: &mut Value,
    at: &str,
    depth: usize,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooDeep { pointer: at.to_owned(), limit: MAX_DEPTH });
    }
    visit.enter(kind, value, at)?;
    let map = object(value, at)?;
    // What stands beside a `$ref` is not part of the document.
    if map.contains_key("$ref") {
        reference(map, at)?;
        return visit.leave(kind, map, at);
    }
    for (key, child) in map.iter_mut() {
        let at = join(at, key);
        match slot(kind, key, child) {
            None => {}
            Some(Slot::One(kind)) => step(visit, kind, child, &at, depth + 1)?,
            Some(Slot::List(kind)) => {
                let Value::Array(items) = child else {
                    return Err(unexpected("a list", child, &at));
                };
                for (index, item) in items.iter_mut().enumerate() {
                    step(visit, kind, item, &format!("{at}/{index}"), depth + 1)?;
                }
            }
            Some(slot @ (Slot::Map(kind) | Slot::Patterned(kind))) => {
                let patterned = matches!(slot, Slot::Patterned(_));
                for (name, item) in object(child, &at)? {
                    if !(patterned && name.starts_with("x-")) {
                        step(visit, kind, item, &join(&at, name), depth + 1)?;
                    }
                }
            }
        }
    }
    visit.leave(kind, map, at)
}

/// The target of a reference object, if it is one.
pub(crate) fn reference<'a>(
    map: &'a Map<String, Value>,
    at: &str,
) -> Result<Option<&'a str>, Error> {
    match map.get("$ref") {
        None => Ok(None),
        Some(Value::String(target)) => Ok(Some(target)),
        Some(other) => Err(unexpected("a string", other, &join(at, "$ref"))),
    }
}

pub(crate) fn object<'a>(
    value: &'a mut Value,
    at: &str,
) -> Result<&'a mut Map<String, Value>, Error> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(unexpected("an object", other, at)),
    }
}

pub(crate) fn unexpected(wanted: &str, found: &Value, at: &str) -> Error {
    let found = match found {
        Value::Null => "nothing (null)",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Error::malformed(at, format!("expected {wanted}, found {found}"))
}

//! What the OpenAPI specification assumes when a field is absent. Only defaults it states are dropped, and only where a
//! field stands in its own place.

use serde_json::{Map, Value, json};

use crate::slots::Kind;

pub(super) fn drop_defaults(kind: Kind, map: &mut Map<String, Value>) {
    if matches!(kind, Kind::Parameter | Kind::Header | Kind::Encoding) {
        style(kind, map);
    }
    map.retain(|key, value| !is_default(kind, key, value));
}

fn is_default(kind: Kind, key: &str, value: &Value) -> bool {
    use Kind::*;
    let off = value == &Value::Bool(false);
    let none =
        value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
    match (kind, key) {
        (Schema, "nullable" | "readOnly" | "writeOnly" | "uniqueItems") => off,
        (Schema, "exclusiveMinimum" | "exclusiveMaximum") => off,
        (Schema | Operation | Parameter | Header, "deprecated") => off,
        (Schema, "additionalProperties") => none || value == &Value::Bool(true),
        (Schema, "required" | "properties") => none,
        (Schema, "minLength" | "minItems" | "minProperties") => value.as_f64() == Some(0.0),
        (Parameter | Header | RequestBody, "required") => off,
        (Parameter | Header | Encoding, "allowReserved" | "allowEmptyValue") => off,
        (Operation, "tags" | "parameters" | "callbacks" | "servers") => none,
        (PathItem, "parameters" | "servers") => none,
        (Response | Encoding, "headers") | (Response, "links") => none,
        (Response | RequestBody, "content") | (MediaType, "encoding" | "examples") => none,
        (Parameter | Header, "examples") => none,
        (Server, "variables") => none,
        (Components, "schemas" | "securitySchemes") => none,
        (Document, "components" | "tags") => none,
        (Document, "servers") => none || value == &json!([{"url": "/"}]),
        _ => false,
    }
}

/// The default style depends on where a value is sent, and the default of `explode` on the style.
fn style(kind: Kind, map: &mut Map<String, Value>) {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let default = match (kind, text("in")) {
        (Kind::Encoding, _) | (Kind::Parameter, Some("query" | "cookie")) => "form",
        _ => "simple",
    };
    let style = text("style").unwrap_or(default);
    let explode = Value::Bool(style == "form");
    let is_default = style == default;
    if map.get("explode") == Some(&explode) {
        map.remove("explode");
    }
    if is_default {
        map.remove("style");
    }
}

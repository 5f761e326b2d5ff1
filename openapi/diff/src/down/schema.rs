//! One schema from 3.1 (JSON Schema 2020-12) to 3.0. Its child schemas are the walk's business, not this module's.

use serde_json::{Map, Value, json};

use crate::Error;
use crate::fold;
use crate::pointer::join;
use crate::slots::unexpected;

/// Keywords without a 3.0 counterpart. An unknown keyword is not listed: it passes, and shows up as drift.
const ONLY_IN_31: [&str; 22] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$schema",
    "$vocabulary",
    "contains",
    "contentSchema",
    "definitions",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

type Object = Map<String, Value>;

pub(super) fn down(schema: &mut Value, at: &str) -> Result<(), Error> {
    match schema {
        Value::Bool(true) => *schema = json!({}),
        Value::Bool(false) => *schema = json!({"not": {}}),
        _ => {}
    }
    let Value::Object(map) = schema else {
        return Err(unexpected("a schema", schema, at));
    };
    if let Some(keyword) = ONLY_IN_31.iter().find(|key| map.contains_key(**key)) {
        return Err(lost(at, keyword, "describe it in an `x-` extension"));
    }
    if map.contains_key("nullable") {
        return Err(lost(at, "nullable", "in 3.1 it means nothing; write `type: [.., \"null\"]`"));
    }
    ref_beside_others(map);
    constant(map, at)?;
    types(map, at)?;
    fold::null_branch(map);
    exclusive(map, "exclusiveMinimum", "minimum", f64::gt, at)?;
    exclusive(map, "exclusiveMaximum", "maximum", f64::lt, at)?;
    examples(map, at)?;
    property_names(map, at)?;
    content(map, at)
}

fn lost(at: &str, keyword: &str, advice: &str) -> Error {
    let message = format!("`{keyword}` has no OpenAPI 3.0 form here; {advice}");
    Error::not_in_30(join(at, keyword), message)
}

fn ref_beside_others(map: &mut Object) {
    if map.len() < 2 {
        return;
    }
    let Some(target) = map.remove("$ref") else {
        return;
    };
    let part = json!({"$ref": target});
    match map.get_mut("allOf") {
        Some(Value::Array(parts)) => parts.insert(0, part),
        _ => drop(map.insert("allOf".to_owned(), json!([part]))),
    }
}

fn constant(map: &mut Object, at: &str) -> Result<(), Error> {
    if map.contains_key("const") && map.contains_key("enum") {
        return Err(lost(at, "const", "it stands beside `enum`; keep one of the two"));
    }
    if let Some(value) = map.remove("const") {
        map.insert("enum".to_owned(), json!([value]));
    }
    Ok(())
}

fn types(map: &mut Object, at: &str) -> Result<(), Error> {
    let mut names = match map.remove("type") {
        None => return Ok(()),
        Some(Value::String(name)) if name != "null" => {
            map.insert("type".to_owned(), name.into());
            return Ok(());
        }
        Some(name @ Value::String(_)) => vec![name],
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => names,
        Some(other) => {
            return Err(unexpected("a type or a list of types", &other, &join(at, "type")));
        }
    };
    let all = names.len();
    names.retain(|name| name != "null");
    if names.len() < all {
        map.insert("nullable".to_owned(), Value::Bool(true));
    }
    match names.len() {
        0 if all == 0 => return Err(lost(at, "type", "name at least one type")),
        0 if map.contains_key("enum") => {}
        0 => drop(map.insert("enum".to_owned(), json!([null]))),
        1 => drop(map.insert("type".to_owned(), names.remove(0))),
        _ if map.contains_key("anyOf") => {
            return Err(lost(
                at,
                "type",
                "it lists several types beside `anyOf`; keep one of the two",
            ));
        }
        // The other keywords may stay: each of them looks at values of its own type only.
        _ => {
            let branches: Value = names.into_iter().map(|name| json!({"type": name})).collect();
            map.insert("anyOf".to_owned(), branches);
        }
    }
    Ok(())
}

/// The number moves to the plain bound and a flag says that it is exclusive, unless the plain bound is the tighter one.
fn exclusive(
    map: &mut Object,
    exclusive: &str,
    plain: &str,
    tighter: fn(&f64, &f64) -> bool,
    at: &str,
) -> Result<(), Error> {
    let Some(bound) = map.remove(exclusive) else {
        return Ok(());
    };
    let Some(number) = bound.as_f64() else {
        return Err(unexpected("a number, as 3.1 has it", &bound, &join(at, exclusive)));
    };
    let inclusive = map.get(plain).and_then(Value::as_f64);
    if inclusive.is_none_or(|inclusive| !tighter(&inclusive, &number)) {
        map.insert(plain.to_owned(), bound);
        map.insert(exclusive.to_owned(), Value::Bool(true));
    }
    Ok(())
}

fn examples(map: &mut Object, at: &str) -> Result<(), Error> {
    let mut list = match map.remove("examples") {
        None => return Ok(()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(unexpected("a list", &other, &join(at, "examples"))),
    };
    match list.len() {
        0 => Ok(()),
        1 if !map.contains_key("example") => {
            map.insert("example".to_owned(), list.remove(0));
            Ok(())
        }
        _ => Err(lost(at, "examples", "3.0 has one `example` per schema; keep one")),
    }
}

/// Every name of a JSON object is a string, so this one says nothing; any other restricts.
fn property_names(map: &mut Object, at: &str) -> Result<(), Error> {
    match map.remove("propertyNames") {
        None | Some(Value::Bool(true)) => Ok(()),
        Some(names) if names == json!({"type": "string"}) => Ok(()),
        Some(_) => Err(lost(at, "propertyNames", "say it in the description")),
    }
}

fn content(map: &mut Object, at: &str) -> Result<(), Error> {
    const BYTES: &str = "application/octet-stream";
    let media = map.remove("contentMediaType");
    let encoding = map.remove("contentEncoding");
    let text =
        |value: &Option<Value>| value.as_ref().map(|value| value.as_str().unwrap_or("").to_owned());
    let format = match (text(&media).as_deref(), text(&encoding).as_deref()) {
        (None, None) => return Ok(()),
        (None | Some(BYTES), Some("base64")) => "byte",
        (Some(BYTES), None) | (None | Some(BYTES), Some("binary" | BYTES)) => "binary",
        (Some(_), None | Some("base64" | "binary" | BYTES)) => {
            return Err(lost(at, "contentMediaType", "only application/octet-stream does"));
        }
        (_, Some(_)) => return Err(lost(at, "contentEncoding", "only base64 and binary do")),
    };
    match map.insert("format".to_owned(), format.into()) {
        Some(other) if other != format => {
            Err(lost(at, "format", "it contradicts the content keywords"))
        }
        _ => Ok(()),
    }
}

//! The code reads and writes what the contract says. The document of the code cannot prove that: it
//! repeats what annotations claim. `api::witness` asks the types themselves.

use std::collections::BTreeSet;

use repoplane::api::witness;
use serde_json::{Map, Value, json};

use super::lint::document::{Contract, entries};

/// What the types do not know: words, and limits that are checked after reading.
const UNKNOWN: [&str; 14] = [
    "description",
    "title",
    "example",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
];

#[test]
fn requests_are_read_as_the_contract_says() {
    let lies = lies(&contract(), Side::Sent);
    assert!(lies.is_empty(), "{} lies:\n{}", lies.len(), lies.join("\n"));
}

#[test]
fn answers_are_written_as_the_contract_says() {
    let lies = lies(&contract(), Side::Answered);
    assert!(lies.is_empty(), "{} lies:\n{}", lies.len(), lies.join("\n"));
}

#[test]
fn a_lie_is_seen() {
    for (side, at, key, value) in [
        (Side::Sent, "/FileWrite", "additionalProperties", json!(true)),
        (Side::Sent, "/FileWrite", "required", json!(["filename"])),
        (Side::Sent, "/FileWrite/properties/mode", "nullable", json!(false)),
        (Side::Sent, "/EditOperation/oneOf/1/properties/type", "enum", json!(["remove"])),
        (Side::Sent, "/CreateSourceRepoRequest/properties/auto_index", "default", json!(true)),
        (Side::Sent, "/SystemEventQuery/properties/take", "format", json!("int64")),
        (Side::Sent, "/AccessType", "enum", json!(["READ", "WRITE"])),
        (Side::Sent, "/CommitId", "type", json!("integer")),
        (Side::Answered, "/SourceRepo/properties/updated_at", "nullable", json!(false)),
        (Side::Answered, "/SourceRepo/properties/repo_id", "format", json!("uri")),
        (Side::Answered, "/SourceRepo", "required", json!(["repo_id"])),
        (Side::Answered, "/SourceRepo/properties", "more", json!({"type": "string"})),
        (Side::Answered, "/Token/properties/id", "type", json!("integer")),
    ] {
        let mut contract = contract();
        let object = contract["components"]["schemas"].pointer_mut(at).expect(at);
        object[key] = value;
        assert_eq!(lies(&contract, side).len(), 1, "{at}/{key}");
    }
}

/// Derived code would read a list as the fields by position.
#[test]
fn an_object_is_not_read_from_a_list() {
    let contract = contract();
    let document = Contract::new(&contract);
    for name in document.sent() {
        let schema = &contract["components"]["schemas"][name];
        if schema["properties"].is_object() || schema["oneOf"].is_array() {
            let read = witness::read(name, "[]").unwrap_or_else(|| panic!("{name}: see `read`"));
            let error = read.expect_err(name);
            let refused = ["invalid type: sequence, expected", "`type` must be a string"];
            assert!(refused.iter().any(|refusal| error.starts_with(refusal)), "{name}: {error}");
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Sent,
    Answered,
}

fn contract() -> Value {
    openapi_diff::parse(repoplane::api::docs::CONTRACT).expect("the contract")
}

/// Where the types and the contract differ.
fn lies(contract: &Value, side: Side) -> Vec<String> {
    let contract = Contract::new(contract);
    let (names, witnesses) = match side {
        Side::Sent => (contract.sent(), witness::sent()),
        Side::Answered => (contract.answered(), witness::answered()),
    };
    let components = &contract.root["components"]["schemas"];
    let mut lies = Vec::new();
    for name in &names {
        let Some(witness) = witnesses.get(*name) else {
            lies.push(format!("{name}: not in api/witness.rs"));
            continue;
        };
        let says = normal(&components[*name], side);
        let does = normal(witness, side);
        if says != does {
            lies.push(format!("{name}\n  contract {says}\n  code     {does}"));
        }
    }
    let known: BTreeSet<&str> = witnesses.keys().map(String::as_str).collect();
    lies.extend(known.difference(&names).map(|name| format!("{name}: not in the contract")));
    lies
}

/// One spelling for what both say. `null` is a type of its own to schemars; the contract has
/// `nullable` beside the type.
fn normal(schema: &Value, side: Side) -> Value {
    let Value::Object(map) = schema else {
        return schema.clone();
    };
    let mut normal = Map::new();
    for (key, value) in map.iter().filter(|(key, _)| !UNKNOWN.contains(&key.as_str())) {
        let value = match key.as_str() {
            "properties" => {
                entries(value).map(|(k, v)| (k.to_owned(), self::normal(v, side))).collect()
            }
            "oneOf" | "allOf" | "anyOf" => branches(value, side),
            // Two words for a map of anything.
            "additionalProperties" if value == &json!(true) => json!({}),
            "items" | "additionalProperties" => self::normal(value, side),
            "required" | "enum" => sorted(value),
            "format" => integer_format(value),
            // A field that may be left out.
            "default" if value.is_null() => continue,
            _ => value.clone(),
        };
        normal.insert(key.clone(), value);
    }
    if side == Side::Answered {
        never_null(&mut normal);
    }
    unwrapped(normal)
}

fn branches(list: &Value, side: Side) -> Value {
    list.as_array().into_iter().flatten().map(|branch| normal(branch, side)).collect()
}

fn sorted(list: &Value) -> Value {
    let mut list = list.as_array().cloned().unwrap_or_default();
    list.sort_by_key(Value::to_string);
    list.into()
}

/// OpenAPI has no unsigned formats; that nothing is below zero is said by `minimum`.
fn integer_format(format: &Value) -> Value {
    match format.as_str() {
        Some("uint8" | "uint16" | "uint32") => json!("int32"),
        Some("uint64") => json!("int64"),
        _ => format.clone(),
    }
}

/// What an answer may leave out it leaves out, and never writes as `null`.
fn never_null(object: &mut Map<String, Value>) {
    let required = object.get("required").cloned().unwrap_or_default();
    let required: Vec<_> = required.as_array().into_iter().flatten().cloned().collect();
    let Some(Value::Object(properties)) = object.get_mut("properties") else {
        return;
    };
    for (_, schema) in properties.iter_mut().filter(|(name, _)| !required.contains(&json!(name))) {
        if let Value::Object(map) = schema {
            map.remove("nullable");
            *schema = unwrapped(std::mem::take(map));
        }
    }
}

/// `anyOf: [X, null]` becomes `allOf: [X]` that is nullable; `allOf: [X]` alone becomes `X`.
fn unwrapped(mut map: Map<String, Value>) -> Value {
    let null = |branch: &Value| branch["nullable"] == true && branch["enum"] == json!([null]);
    if let Some(Value::Array(branches)) = map.get("anyOf")
        && let [only, other] = &branches[..]
        && null(other)
    {
        let only = json!([only]);
        map.remove("anyOf");
        map.insert("allOf".to_owned(), only);
        map.insert("nullable".to_owned(), true.into());
    }
    if let Some(Value::Array(parts)) = map.get("allOf")
        && let [Value::Object(only)] = &parts[..]
        && (map.len() == 1 || !only.contains_key("$ref"))
    {
        let only = only.clone();
        map.remove("allOf");
        map.extend(only);
    }
    map.into()
}

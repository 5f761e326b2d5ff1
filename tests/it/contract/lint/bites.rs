//! Each rule bites: a contract without a fault, broken in one place, is found out by that rule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{RULES, lint};

const PUT: &str = "/paths/~1token~1{id}/put";
const METRICS: &str = "/paths/~1metrics/get";
const CHANGE: &str = "/components/schemas/Change";
const TOKEN: &str = "/components/schemas/Token";
const BRANCH: &str = "/components/schemas/How/oneOf/0";

/// Rule, object to break, key to replace, what to put there (`null` takes it away).
type Break = (&'static str, &'static str, &'static str, Value);

fn breaks_of_operations() -> Vec<Break> {
    let text = json!({"text/html": {"schema": {"type": "string"}}});
    vec![
        ("version", "", "openapi", json!("3.1.0")),
        ("operation-id", PUT, "operationId", Value::Null),
        ("operation-id", PUT, "operationId", json!("putToken")),
        ("operation-id", PUT, "operationId", json!("get_metrics")),
        ("tags", PUT, "tags", json!([])),
        ("tags", PUT, "tags", json!(["nowhere"])),
        ("tags", "/tags/1", "name", json!("users")),
        ("security", "", "security", Value::Null),
        ("security", PUT, "security", json!([])),
        ("security", METRICS, "security", Value::Null),
        ("path-parameter", "/paths/~1token~1{id}/put/parameters/0/schema", "format", Value::Null),
        (
            "empty-parameter",
            "/paths/~1token~1{id}/put/parameters/1",
            "allowEmptyValue",
            Value::Null,
        ),
        ("status-code", "/paths/~1metrics/get/responses", "default", json!({"description": "?"})),
        ("status-code", "/paths/~1metrics/get/responses", "4XX", json!({"description": "?"})),
        ("one-success", "/paths/~1metrics/get/responses", "204", json!({"description": "?"})),
        ("one-error", "/paths/~1token~1{id}/put/responses", "409", json!({"description": "?"})),
        ("guarded", "/paths/~1token~1{id}/put/responses", "401", Value::Null),
        ("guarded", "/paths/~1token~1{id}/put/responses", "503", Value::Null),
        ("absent", "/paths/~1token~1{id}/put/responses", "404", Value::Null),
        ("invalid", "/paths/~1token~1{id}/put/responses", "400", Value::Null),
        ("body-refused", "/paths/~1token~1{id}/put/responses", "413", Value::Null),
        ("body-refused", "/paths/~1token~1{id}/put/responses", "415", Value::Null),
        ("request-media-type", "/paths/~1token~1{id}/put/requestBody", "content", text.clone()),
        ("response-media-type", "/paths/~1metrics/get/responses/200", "content", text),
    ]
}

fn breaks_of_schemas() -> Vec<Break> {
    let object = json!({"type": "object", "description": "?", "properties": {}});
    let both = json!({"$ref": "#/components/schemas/Token", "description": "?"});
    vec![
        ("open-answer", TOKEN, "additionalProperties", json!(false)),
        ("closed-request", CHANGE, "additionalProperties", Value::Null),
        ("closed-request", BRANCH, "additionalProperties", Value::Null),
        ("inline-object", "/components/schemas/Token/properties", "more", object.clone()),
        (
            "inline-object",
            "/paths/~1metrics/get/responses/200/content/text~1plain",
            "schema",
            object,
        ),
        ("union", BRANCH, "required", Value::Null),
        ("union", "/components/schemas/How", "discriminator", json!({"propertyName": "type"})),
        ("union", "/components/schemas/How/oneOf", "0", both.clone()),
        ("reference-alone", "/components/schemas/Token/properties", "more", both),
        ("unused", "/components/schemas", "More", json!({"type": "string", "description": "?"})),
        ("described", "/tags/0", "description", Value::Null),
        ("described", PUT, "summary", Value::Null),
        ("described", "/paths/~1token~1{id}/put/parameters/1", "description", Value::Null),
        ("described", "/paths/~1metrics/get/responses/200", "description", json!(" ")),
        ("described", "/components/responses/Refused", "description", json!("")),
        (
            "described",
            "/paths/~1token~1{id}/put/responses/200/headers/x-id",
            "description",
            Value::Null,
        ),
        ("described", TOKEN, "description", Value::Null),
        ("described", BRANCH, "description", Value::Null),
        ("described", "/components/schemas/Token/properties/id", "description", Value::Null),
        ("fence", TOKEN, "description", json!("So:\n\n```\nlet x;\n```")),
        ("fence", TOKEN, "description", json!("So:\n\n    let x;")),
        ("keyword", "/components/schemas/Token/properties/id", "maxLenght", json!(3)),
        ("keyword", PUT, "depricated", json!(true)),
        ("keyword", "/components/schemas/Token/properties/id", "description", json!(3)),
    ]
}

#[test]
fn each_rule_bites() {
    let clean = openapi_diff::parse(include_str!("clean.yaml")).expect("strict YAML");
    assert_eq!(lint(&clean), Vec::<String>::new());

    let mut bitten = BTreeSet::new();
    for (rule, at, key, value) in breaks_of_operations().into_iter().chain(breaks_of_schemas()) {
        let mut broken = clean.clone();
        put(broken.pointer_mut(at).expect(at), key, value.clone());
        let found = lint(&broken);
        let bites = found.iter().any(|line| line.split(' ').next() == Some(rule));
        assert!(bites, "{rule} does not see {value} at {at}/{key}, only {found:#?}");
        bitten.insert(rule);
    }
    assert_eq!(bitten, RULES.iter().map(|(name, _)| *name).collect());
}

fn put(target: &mut Value, key: &str, value: Value) {
    match target {
        Value::Array(items) => items[key.parse::<usize>().expect("an index")] = value,
        Value::Object(map) if value.is_null() => {
            map.remove(key).expect("a key to take away");
        }
        Value::Object(map) => {
            map.insert(key.to_owned(), value);
        }
        other => panic!("{other} has no keys"),
    }
}

#[test]
fn a_key_written_twice_is_no_contract() {
    let text = include_str!("clean.yaml").replace("  /metrics:", "  /token/{id}:");
    assert!(openapi_diff::parse(&text).expect_err("twice").to_string().contains("duplicate key"));
}

//! Two spellings of one schema, folded into one. Only spellings that mean the same may be folded.

use serde_json::{Map, Value, json};

/// Keywords that look at each other inside one schema, so that moving one of them changes what the others mean.
const TOGETHER: [&str; 2] = ["properties", "additionalProperties"];

/// `oneOf: [X, null]` becomes `nullable` and `allOf: [X]`; with more branches left, the union stays.
pub(crate) fn null_branch(map: &mut Map<String, Value>) {
    for union in ["oneOf", "anyOf"] {
        let Some(Value::Array(branches)) = map.get_mut(union) else {
            continue;
        };
        let before = branches.len();
        // A list of nothing but null is left alone: there is no schema to make nullable.
        if branches.iter().all(is_null) {
            continue;
        }
        branches.retain(|branch| !is_null(branch));
        if branches.len() == before {
            continue;
        }
        let only = (branches.len() == 1).then(|| branches.remove(0));
        if let Some(only) = only {
            map.remove(union);
            match map.get_mut("allOf") {
                Some(Value::Array(parts)) => parts.push(only),
                _ => drop(map.insert("allOf".to_owned(), json!([only]))),
            }
        }
        map.insert("nullable".to_owned(), Value::Bool(true));
    }
}

/// The forms in which documents of either version say "null and nothing else".
fn is_null(branch: &Value) -> bool {
    [json!({"type": "null"}), json!({"enum": [null]}), json!({"enum": [null], "nullable": true})]
        .contains(branch)
}

/// `allOf: [X]` with an inline X is the same as X written beside it; with nothing beside it, so is a reference.
pub(crate) fn single_all_of(map: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = map.get("allOf") else {
        return;
    };
    let [Value::Object(part)] = parts.as_slice() else {
        return;
    };
    let is_ref = part.contains_key("$ref");
    if is_ref && map.len() > 1 {
        return;
    }
    let clash = part
        .iter()
        .any(|(key, value)| key != "allOf" && map.get(key).is_some_and(|mine| mine != value));
    let split = [part, &*map].iter().all(|side| TOGETHER.iter().any(|key| side.contains_key(*key)));
    if clash || split {
        return;
    }
    let part = part.clone();
    map.remove("allOf");
    map.extend(part);
}

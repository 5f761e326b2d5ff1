//! The documented fields of an answer, and the types they are documented with.

use serde_json::{Value, json};

/// Every field of `shape` is in `found`, and is what the word in its place says.
pub fn assert_shape(found: &Value, shape: &Value, place: &str) {
    match shape {
        Value::Object(fields) => {
            for (field, shape) in fields {
                let found =
                    found.get(field).unwrap_or_else(|| panic!("{place}.{field} is missing"));
                assert_shape(found, shape, &format!("{place}.{field}"));
            }
        }
        Value::Array(shapes) => {
            let found = found.as_array().unwrap_or_else(|| panic!("{place} is no list"));
            assert_eq!(found.len(), shapes.len(), "{place}");
            for (found, shape) in found.iter().zip(shapes) {
                assert_shape(found, shape, &format!("{place}[]"));
            }
        }
        Value::String(kind) => {
            let fits = match kind.as_str() {
                "text" => found.as_str().is_some_and(|text| !text.is_empty()),
                "time" => found.as_str().is_some_and(|text| {
                    chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z')
                }),
                "boolean" => found.is_boolean(),
                "null" => found.is_null(),
                other => panic!("unknown word {other}"),
            };
            assert!(fits, "{place} is no {kind}: {found}");
        }
        other => panic!("no shape: {other}"),
    }
}

/// What the documents list of `GET /repo`.
pub fn documented_list() -> Value {
    let secret = json!({ "key": "text", "iv": "text", "authTag": "text", "message": "text" });
    let bucket = json!({
        "id": "text", "name": "text", "bucket": "text", "storageType": "text", "key": "text",
        "secret": secret, "endpoint": "text", "region": "text", "status": "text",
        "projectId": "text", "createdAt": "time",
    });
    let llm = json!({
        "id": "text", "orgId": "text", "workspaceId": "text", "userId": "text", "name": "text",
        "aiType": "text", "endpoint": "text", "key": "text", "createdAt": "time",
    });
    let repo = json!({
        "id": "text", "name": "text", "storageType": "text", "mode": "text",
        "workspaceId": "text",
        "buckets": [{ "folder": "text", "master": "boolean", "bucketId": "text", "bucket": bucket }],
        "apiKeys": [{
            "id": "text", "name": "text", "accessType": "text", "key": "text", "secret": secret,
            "createdAt": "time",
        }],
        "aiLlms": [{ "aiLlmId": "text", "aiLlm": llm }],
        "aiApiKeys": [{
            "id": "text", "name": "text", "repoId": "text", "key": "text", "aiType": "text",
            "createdAt": "time", "deletedAt": "null",
        }],
        "createdAt": "time", "disabled": "boolean",
    });
    json!({ "success": "boolean", "repos": [repo] })
}

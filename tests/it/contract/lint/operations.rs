//! Rules on operations: names, tags, security, parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Findings;
use super::document::Contract;

pub fn version(contract: &Contract) -> Findings {
    let found = &contract.root["openapi"];
    let wrong = (found != "3.0.3").then(|| format!("{found}, must be 3.0.3"));
    wrong.map(|message| ("/openapi".to_owned(), message)).into_iter().collect()
}

/// The generated client's method names.
pub fn operation_id(contract: &Contract) -> Findings {
    let mut seen = BTreeMap::new();
    let mut findings = Findings::new();
    for operation in &contract.operations {
        let at = operation.at.clone();
        let Some(id) = operation.value["operationId"].as_str() else {
            findings.push((at, "has no operationId".to_owned()));
            continue;
        };
        let words = id.split('_').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        if !words {
            findings.push((at.clone(), format!("operationId {id} is not snake_case")));
        }
        if let Some(first) = seen.insert(id, at.clone()) {
            findings.push((at, format!("operationId {id} is that of {first} too")));
        }
    }
    findings
}

/// A tag is a file of the door.
pub fn tags(contract: &Contract) -> Findings {
    let listed = contract.root["tags"].as_array().into_iter().flatten();
    let listed: BTreeSet<_> = listed.filter_map(|tag| tag["name"].as_str()).collect();
    let mut used = BTreeSet::new();
    let mut findings = Findings::new();
    for operation in &contract.operations {
        let tags = operation.value["tags"].as_array().map_or(&[][..], Vec::as_slice);
        let [tag] = tags else {
            findings.push((operation.at.clone(), "must have exactly one tag".to_owned()));
            continue;
        };
        used.extend(tag.as_str());
    }
    for tag in listed.symmetric_difference(&used) {
        let message = format!("{tag} must be listed at the top and used by an operation");
        findings.push(("/tags".to_owned(), message));
    }
    let door = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/src/api");
    for tag in used.iter().filter(|tag| !door.join(format!("{tag}.rs")).is_file()) {
        findings.push(("/tags".to_owned(), format!("{tag} has no file in server/src/api")));
    }
    findings
}

/// Only what is about the server itself is open to all.
pub fn security(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    if contract.root["security"] != serde_json::json!([{"bearerAuth": []}]) {
        findings.push(("/security".to_owned(), "must be bearerAuth".to_owned()));
    }
    for operation in &contract.operations {
        let own = operation.value.get("security");
        let right = match own {
            Some(own) => operation.is_system() && own == &serde_json::json!([]),
            None => !operation.is_system(),
        };
        if !right {
            let message = "must be open if its tag is `system`, and otherwise say nothing";
            findings.push((operation.at.clone(), message.to_owned()));
        }
    }
    findings
}

/// A client library does not escape `.` and `..`, so that they would address something else.
pub fn path_parameter(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        for parameter in contract.parameters(operation) {
            let schema = contract.resolve(&parameter["schema"]);
            let loose = schema["format"] != "uuid" && schema["pattern"].is_null();
            if parameter["in"] == "path" && schema["type"] == "string" && loose {
                let message = format!("{} must have format uuid or a pattern", parameter["name"]);
                findings.push((operation.at.clone(), message));
            }
        }
    }
    findings
}

/// The server reads an empty query parameter as an absent one.
pub fn empty_parameter(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        for parameter in contract.parameters(operation) {
            if (parameter["in"] == "query") != (parameter["allowEmptyValue"] == true) {
                let message =
                    format!("{}: allowEmptyValue: true is for query parameters", parameter["name"]);
                findings.push((operation.at.clone(), message));
            }
        }
    }
    findings
}

//! Rules on what an operation can answer. The client generator takes one type for all successes and
//! one for all errors.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Findings;
use super::document::{Contract, Operation, entries};

/// No `default` and no ranges.
pub fn status_code(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        for (code, _) in contract.responses(operation) {
            if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                let message = format!("{code} is no status; list each one by itself");
                findings.push((operation.at.clone(), message));
            }
        }
    }
    findings
}

pub fn one_success(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        let found = schemas(contract, operation, &['2']);
        if found.len() != 1 {
            let message = format!("{} success schemas, must be one: {found:?}", found.len());
            findings.push((operation.at.clone(), message));
        }
    }
    findings
}

/// The envelope of the half.
pub fn one_error(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in contract.operations.iter().filter(|operation| !operation.is_system()) {
        let envelope = if operation.is_source() { "SourceError" } else { "StorageError" };
        let envelope = format!("{{\"$ref\":\"#/components/schemas/{envelope}\"}}");
        let found = schemas(contract, operation, &['4', '5']);
        if found != BTreeSet::from([envelope.clone()]) {
            let message = format!("error schemas {found:?}, must be {envelope}");
            findings.push((operation.at.clone(), message));
        }
    }
    findings
}

/// What the guard before every operation can answer.
pub fn guarded(contract: &Contract) -> Findings {
    missing(
        contract,
        |operation| {
            if operation.is_system() { &[] } else { &["401", "429", "500", "503"] }
        },
    )
}

pub fn absent(contract: &Contract) -> Findings {
    missing(contract, |operation| {
        let named =
            contract.parameters(operation).iter().any(|parameter| parameter["in"] == "path");
        if named { &["404"] } else { &[] }
    })
}

/// Bad input is 400 in the storage half, 422 in the source half.
pub fn invalid(contract: &Contract) -> Findings {
    missing(contract, |operation| {
        let asked = contract.parameters(operation).iter().any(|given| given["in"] == "query")
            || contract.request(operation).is_some();
        match (asked, operation.is_source()) {
            (false, _) => &[],
            (true, true) => &["422"],
            (true, false) => &["400"],
        }
    })
}

/// Too large, or of another type.
pub fn body_refused(contract: &Contract) -> Findings {
    missing(
        contract,
        |operation| {
            if contract.request(operation).is_some() { &["413", "415"] } else { &[] }
        },
    )
}

fn missing(
    contract: &Contract,
    wanted: impl Fn(&Operation) -> &'static [&'static str],
) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        let responses = &operation.value["responses"];
        for code in wanted(operation).iter().filter(|code| responses.get(**code).is_none()) {
            findings.push((operation.at.clone(), format!("must list {code}")));
        }
    }
    findings
}

/// The different schemas, as text, of the statuses that begin with one of `classes`.
fn schemas(contract: &Contract, operation: &Operation, classes: &[char]) -> BTreeSet<String> {
    let responses = contract.responses(operation);
    let chosen = responses.iter().filter(|(code, _)| code.starts_with(classes));
    chosen.flat_map(|(_, response)| bodies(response)).collect()
}

/// Where there is JSON, the client generator reads nothing else.
fn bodies(response: &Value) -> Vec<String> {
    let json = response["content"].get("application/json").map(|json| ("", json));
    let read = json.map_or_else(|| entries(&response["content"]).collect(), |json| vec![json]);
    let found: Vec<String> = read.iter().map(|(_, media)| media["schema"].to_string()).collect();
    if found.is_empty() { vec!["no body".to_owned()] } else { found }
}

//! Rules on words: everything is described, and no keyword is misspelt.

use serde_json::Value;

use super::Findings;
use super::document::{Contract, Place, entries, join};
use super::schemas::is_tag;

/// Operations by a summary, all else by a description.
pub fn described(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    let mut check = |at: String, value: &Value, key: &str| {
        if value[key].as_str().is_none_or(|text| text.trim().is_empty()) {
            findings.push((at, format!("has no {key}")));
        }
    };
    for (index, tag) in contract.root["tags"].as_array().into_iter().flatten().enumerate() {
        check(format!("/tags/{index}"), tag, "description");
    }
    for operation in &contract.operations {
        check(operation.at.clone(), operation.value, "summary");
        for parameter in contract.parameters(operation) {
            let name = parameter["name"].as_str().unwrap_or_default();
            check(join(&join(&operation.at, "parameters"), name), parameter, "description");
        }
        for (code, response) in contract.responses(operation) {
            let at = join(&join(&operation.at, "responses"), code);
            for (name, header) in entries(&response["headers"]) {
                check(join(&join(&at, "headers"), name), header, "description");
            }
            check(at, response, "description");
        }
    }
    for spot in &contract.schemas {
        let own = spot.value.get("$ref").is_none() && !is_tag(spot.value);
        if own && spot.place != Place::Inner {
            check(spot.at.clone(), spot.value, "description");
        }
    }
    findings
}

/// Code without a language becomes a Rust test in the client's documentation.
pub fn fence(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    texts(contract.root, String::new(), &mut |at, text| {
        let (mut inside, mut after_gap) = (false, true);
        for line in text.lines() {
            if let Some(label) = line.trim_start().strip_prefix("```") {
                inside = !inside;
                if inside && label.trim().is_empty() {
                    findings.push((at.to_owned(), "a code fence without a label".to_owned()));
                }
            } else if !inside && after_gap && line.starts_with("    ") {
                findings.push((at.to_owned(), "code by indentation; use a fence".to_owned()));
            }
            after_gap = line.trim().is_empty();
        }
    });
    findings
}

fn texts(value: &Value, at: String, visit: &mut impl FnMut(&str, &str)) {
    for (key, child) in entries(value).filter(|(key, _)| !key.starts_with("example")) {
        match child {
            Value::String(text) if ["summary", "description"].contains(&key) => {
                visit(&join(&at, key), text);
            }
            _ => texts(child, join(&at, key), visit),
        }
    }
    for (index, child) in value.as_array().into_iter().flatten().enumerate() {
        texts(child, format!("{at}/{index}"), visit);
    }
}

/// Keys that a typed reader of OpenAPI does not know are lost on the way through it.
pub fn keyword(contract: &Contract) -> Findings {
    match serde_json::from_value::<openapiv3::OpenAPI>(contract.root.clone()) {
        Ok(typed) => {
            let known = serde_json::to_value(typed).expect("JSON");
            let mut lost = Findings::new();
            compare(contract.root, &known, String::new(), &mut lost);
            lost
        }
        Err(error) => vec![(String::new(), format!("not OpenAPI 3.0: {error}"))],
    }
}

fn compare(written: &Value, known: &Value, at: String, lost: &mut Findings) {
    for (key, child) in entries(written) {
        let at = join(&at, key);
        match known.get(key) {
            Some(known) => compare(child, known, at, lost),
            // What is `false` anyway is left out when it is written.
            None if child == false => {}
            None => lost.push((at, "OpenAPI 3.0 knows no such key here".to_owned())),
        }
    }
    for (index, child) in written.as_array().into_iter().flatten().enumerate() {
        compare(child, &known[index], format!("{at}/{index}"), lost);
    }
}

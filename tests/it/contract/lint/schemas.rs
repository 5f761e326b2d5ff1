//! Rules on schemas. They name what the client generator misreads without a word.

use serde_json::Value;

use super::Findings;
use super::document::{Contract, Place, entries};

/// The name that the generator gives to an inline object may be that of a component, which it then
/// takes instead.
pub fn inline_object(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for spot in &contract.schemas {
        let is_map = spot.value["additionalProperties"].is_object();
        let fields = spot.value["properties"].is_object();
        let object = fields || (spot.value["type"] == "object" && !is_map);
        if object && !matches!(spot.place, Place::Component | Place::Branch) {
            let message = "an inline object; make it a component".to_owned();
            findings.push((spot.at.clone(), message));
        }
    }
    findings
}

/// A union is `oneOf` inline objects, told apart by a required tag of one value.
pub fn union(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for spot in &contract.schemas {
        if spot.value.get("discriminator").is_some() || spot.value.get("anyOf").is_some() {
            findings.push((spot.at.clone(), "use oneOf, with tagged branches".to_owned()));
        }
        for (index, branch) in spot.value["oneOf"].as_array().into_iter().flatten().enumerate() {
            if !is_tagged(branch) {
                let message = "a branch must be inline, with a required tag".to_owned();
                findings.push((format!("{}/oneOf/{index}", spot.at), message));
            }
        }
    }
    findings
}

fn is_tagged(branch: &Value) -> bool {
    let required = branch["required"].as_array().map_or(&[][..], Vec::as_slice);
    entries(&branch["properties"])
        .any(|(name, schema)| is_tag(schema) && required.iter().any(|required| required == name))
}

/// A field that tells a branch of a union from the others.
pub fn is_tag(schema: &Value) -> bool {
    schema["enum"].as_array().is_some_and(|values| values.len() == 1)
}

/// What stands beside a reference is ignored.
pub fn reference_alone(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for spot in &contract.schemas {
        let map = spot.value.as_object();
        if map.is_some_and(|map| map.contains_key("$ref") && map.len() > 1) {
            let message = "put the reference into allOf, or drop what stands beside it".to_owned();
            findings.push((spot.at.clone(), message));
        }
    }
    findings
}

/// A component that no request and no answer reaches says nothing, and no test looks at it.
pub fn unused(contract: &Contract) -> Findings {
    let (sent, answered) = (contract.sent(), contract.answered());
    let components = entries(&contract.root["components"]["schemas"]).map(|(name, _)| name);
    let unused = components.filter(|name| !sent.contains(name) && !answered.contains(name));
    unused.map(|name| ("/components/schemas".to_owned(), format!("{name} is unused"))).collect()
}

//! Rules on bodies. Requests are closed, so that a misspelt field is refused; answers are open, so
//! that a new field breaks no client.

use super::Findings;
use super::document::{Contract, Place, Spot, entries};

const JSON: &str = "application/json";
const OCTETS: &str = "application/octet-stream";
const EVENTS: &str = "text/event-stream";
const TEXT: &str = "text/plain";

/// What the client generator can send.
pub fn request_media_type(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        let Some(body) = contract.request(operation) else {
            continue;
        };
        let types: Vec<_> = entries(&body["content"]).map(|(name, _)| name).collect();
        if !matches!(types[..], [JSON | OCTETS]) {
            let message = format!("{types:?}, must be one of {JSON} and {OCTETS}");
            findings.push((operation.at.clone(), message));
        }
    }
    findings
}

/// Plain text is for programs that read nothing else, of the server itself only. What comes in events may also be had
/// as one document.
pub fn response_media_type(contract: &Contract) -> Findings {
    let mut findings = Findings::new();
    for operation in &contract.operations {
        for (code, response) in contract.responses(operation) {
            let types: Vec<_> = entries(&response["content"]).map(|(name, _)| name).collect();
            let success = code.starts_with('2');
            let right = match types[..] {
                [JSON] => true,
                // Who has it already is sent nothing.
                [] => success || code == "304",
                [OCTETS | EVENTS] | [JSON, EVENTS] => success,
                [TEXT] => success && operation.is_system(),
                _ => false,
            };
            if !right {
                findings.push((operation.at.clone(), format!("{code}: {types:?}")));
            }
        }
    }
    findings
}

pub fn open_answer(contract: &Contract) -> Findings {
    let answered = contract.answered();
    let closed = objects(contract).filter(|(_, spot)| spot.value["additionalProperties"] == false);
    let wrong = closed.filter(|(name, _)| answered.contains(name));
    let message = "is answered, so it must not be closed (additionalProperties)";
    wrong.map(|(_, spot)| (spot.at.clone(), message.to_owned())).collect()
}

pub fn closed_request(contract: &Contract) -> Findings {
    let sent = contract.sent();
    let open = objects(contract).filter(|(_, spot)| spot.value["additionalProperties"] != false);
    let wrong = open.filter(|(name, _)| sent.contains(name));
    let message = "is sent, so it must be closed (additionalProperties: false)";
    wrong.map(|(_, spot)| (spot.at.clone(), message.to_owned())).collect()
}

/// Objects with fields, among the components and in the branches of unions, with the component's
/// name. A map has no fields.
fn objects<'c, 'a>(contract: &'c Contract<'a>) -> impl Iterator<Item = (&'c str, &'c Spot<'a>)> {
    contract.schemas.iter().filter_map(|spot| {
        let name = spot.at.strip_prefix("/components/schemas/")?.split('/').next()?;
        let object = matches!(spot.place, Place::Component | Place::Branch)
            && spot.value["properties"].is_object();
        object.then_some((name, spot))
    })
}

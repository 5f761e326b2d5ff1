//! The house rules of the contract. What breaks one is reported with its place, all at once.

mod bites;
mod bodies;
pub mod document;
mod operations;
mod schemas;
mod statuses;
mod words;

use document::Contract;

/// What a rule has found: a JSON pointer, and what is wrong there.
type Findings = Vec<(String, String)>;
type Rule = fn(&Contract) -> Findings;

const RULES: [(&str, Rule); 24] = [
    ("version", operations::version),
    ("operation-id", operations::operation_id),
    ("tags", operations::tags),
    ("security", operations::security),
    ("path-parameter", operations::path_parameter),
    ("empty-parameter", operations::empty_parameter),
    ("status-code", statuses::status_code),
    ("one-success", statuses::one_success),
    ("one-error", statuses::one_error),
    ("guarded", statuses::guarded),
    ("absent", statuses::absent),
    ("invalid", statuses::invalid),
    ("body-refused", statuses::body_refused),
    ("request-media-type", bodies::request_media_type),
    ("response-media-type", bodies::response_media_type),
    ("open-answer", bodies::open_answer),
    ("closed-request", bodies::closed_request),
    ("inline-object", schemas::inline_object),
    ("union", schemas::union),
    ("reference-alone", schemas::reference_alone),
    ("unused", schemas::unused),
    ("described", words::described),
    ("fence", words::fence),
    ("keyword", words::keyword),
];

fn lint(contract: &serde_json::Value) -> Vec<String> {
    let contract = Contract::new(contract);
    let found = RULES.iter().flat_map(|(name, rule)| {
        rule(&contract).into_iter().map(move |(at, message)| format!("{name} {at}: {message}"))
    });
    found.collect()
}

#[test]
fn the_contract_keeps_the_house_rules() {
    // Strict: a key written twice is an error.
    let contract = openapi_diff::parse(repoplane::api::docs::CONTRACT).expect("strict YAML");
    let found = lint(&contract);
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

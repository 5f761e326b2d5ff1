//! The document that the code gives equals the contract: no difference, no exception.

#[test]
fn the_code_says_what_the_contract_says() {
    let contract = openapi_diff::parse(repoplane::api::docs::CONTRACT).expect("the contract");
    let code = repoplane::api::document().to_json().expect("JSON");
    let code = openapi_diff::parse(&code).expect("the code's document");
    let findings = openapi_diff::drift(&contract, &code).expect("two documents");
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} differences:\n{}", lines.len(), lines.join("\n"));
}

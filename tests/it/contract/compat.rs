//! Clients of the last release survive this contract. What breaks them on purpose is listed in
//! openapi/compat.allow, with the reason.

use std::process::Command;

use openapi_diff::{AllowList, compat, parse};

const ALLOWED: &str = include_str!("../../../openapi/compat.allow");

#[test]
fn clients_of_the_last_release_survive() {
    let contract = parse(repoplane::api::docs::CONTRACT).expect("the contract");
    let released = last_tag().map(|tag| {
        let text = git(&["show", &format!("{tag}:openapi/openapi.yaml")]);
        parse(&text.expect("a contract in every release")).expect("the released contract")
    });
    if released.is_none() {
        eprintln!("There is no release yet, so the contract is compared with itself.");
    }
    let released = released.as_ref().unwrap_or(&contract);
    let breaks = compat(released, &contract).expect("two documents");
    let breaks = AllowList::parse(ALLOWED).expect("openapi/compat.allow").apply(breaks);
    let lines: Vec<String> = breaks.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} breaks:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn an_operation_that_goes_is_a_break() {
    let contract = parse(repoplane::api::docs::CONTRACT).expect("the contract");
    let mut less = contract.clone();
    less["paths"].as_object_mut().expect("paths").remove("/user/profile").expect("the path");
    let breaks = compat(&contract, &less).expect("two documents");
    let rules: Vec<_> = breaks.iter().map(|found| found.rule).collect();
    assert_eq!(rules, ["operation-removed"]);
}

/// The newest tag that this commit has in its history.
fn last_tag() -> Option<String> {
    git(&["describe", "--tags", "--abbrev=0"]).map(|tag| tag.trim().to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("git is installed");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

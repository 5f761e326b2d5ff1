//! The client's public surface, generated and therefore in no diff, is kept in client/API.txt, so
//! that a review sees what a change of the contract does to those who call it.

use std::path::Path;

const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/codegen.rs"));
const UPDATE: &str = "UPDATE_API";

#[test]
fn the_surface_is_the_one_on_record() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("client/API.txt");
    let surface = render(GENERATED);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &surface).expect("client/API.txt");
    }
    let recorded = std::fs::read_to_string(&path).expect("client/API.txt");
    let differs = recorded.lines().zip(surface.lines()).find(|(old, new)| old != new);
    assert!(
        recorded == surface,
        "the client's surface is not that of client/API.txt, first at {differs:?}; if that is \
         meant: {UPDATE}=1 cargo test --workspace --test it -- surface"
    );
}

#[test]
fn methods_setters_types_fields_and_variants_are_seen() {
    let surface = render(GENERATED);
    let lines: Vec<_> = surface.lines().collect();
    for line in [
        "method edit_source_repo",
        "setter EditSourceRepo.repo_id",
        "type EditSource",
        "field EditSourceRepoRequest.metadata: ::std::option::Option<Metadata>",
        "variant AccessType::Write",
    ] {
        assert!(lines.contains(&line), "{line} is missing");
    }
}

/// One line for each name. The generated code is formatted, so that its indentation tells where a
/// line stands.
fn render(code: &str) -> String {
    let mut found = Vec::new();
    // What the line is in: a module or impl at the margin, and what is one level deeper.
    let (mut outer, mut inner) = ("", "");
    for line in code.lines() {
        let text = line.trim_start();
        match line.len() - text.len() {
            0 if text.ends_with('{') => (outer, inner) = (text, ""),
            4 if outer == "impl Client {" => {
                found.extend(after(text, "pub fn ").map(|name| format!("method {name}")));
            }
            4 if outer == "pub mod types {" && text.starts_with("pub ") => {
                inner = text;
                found.extend(item(text).map(|name| format!("type {name}")));
            }
            4 if text.ends_with('{') => inner = text,
            8 if outer == "pub mod builder {" && inner.starts_with("impl") => {
                let builder = after(inner, "impl<'a> ").unwrap_or_default();
                let setter = after(text, "pub fn ").filter(|name| *name != "new");
                found.extend(setter.map(|name| format!("setter {builder}.{name}")));
            }
            8 if outer == "pub mod types {" => found.extend(part(inner, text)),
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    found.iter().map(|line| format!("{line}\n")).collect()
}

/// A field or variant of the type that `head` begins.
fn part(head: &str, text: &str) -> Option<String> {
    let owner = item(head)?;
    let text = text.trim_end_matches(',');
    if head.starts_with("pub struct") {
        return text.strip_prefix("pub ").map(|field| format!("field {owner}.{field}"));
    }
    let name = name(text);
    name.starts_with(char::is_uppercase).then(|| format!("variant {owner}::{name}"))
}

fn item(text: &str) -> Option<&str> {
    ["pub struct ", "pub enum ", "pub type "].iter().find_map(|start| after(text, start))
}

fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start).map(name)
}

fn name(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

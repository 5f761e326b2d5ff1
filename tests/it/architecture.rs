//! Arrows between modules go one way: doors -> service -> store | backend -> model. `app`, `lib` and
//! `main` see everything. `config` and `telemetry` are plain infrastructure that doors and service
//! may use; they decide nothing.

use std::path::{Path, PathBuf};

const DOORS: [&str; 5] = ["api", "s3", "git", "cli", "worker"];
const LAYERS: [&str; 12] = [
    "api",
    "s3",
    "git",
    "cli",
    "worker",
    "service",
    "store",
    "backend",
    "model",
    "app",
    "config",
    "telemetry",
];

/// What a layer may name besides itself.
fn targets(layer: &str) -> Option<&'static [&'static str]> {
    Some(match layer {
        "app" | "lib" | "main" => &LAYERS,
        // The command line is also what starts the server.
        "cli" => &["app", "service", "model", "config", "telemetry"],
        door if DOORS.contains(&door) => &["service", "model", "config", "telemetry"],
        "service" => &["store", "backend", "model", "config", "telemetry"],
        "store" | "backend" => &["model"],
        "telemetry" => &["config"],
        "model" | "config" => &[],
        _ => return None,
    })
}

/// Crates that the model may use.
const MODEL_CRATES: [&str; 4] = ["bytes", "chrono", "serde", "uuid"];

/// Longest file, in lines.
const LINES_MAX: usize = 600;

#[test]
fn arrows_go_one_way() {
    report(sources("server/src").iter().flat_map(|(path, text)| wrong_arrows(path, text)));
}

#[test]
fn the_model_is_plain_types() {
    let manifest = std::fs::read_to_string(root().join("server/Cargo.toml")).expect("manifest");
    let foreign: Vec<String> =
        dependencies(&manifest).filter(|name| !MODEL_CRATES.contains(&name.as_str())).collect();
    assert!(foreign.contains(&"sqlx".to_owned()), "the manifest is not read: {foreign:?}");
    let model = sources("server/src/model");
    report(model.iter().flat_map(|(path, text)| {
        foreign.iter().filter(|name| names(text, name)).map(move |name| format!("{path}: {name}"))
    }));
}

/// A route that utoipa does not register is in no document. The two exceptions are the documents
/// themselves, and the file path whose slashes OpenAPI cannot describe. The S3 and git doors speak
/// protocols of their own.
#[test]
fn every_route_is_documented() {
    let free = ["api/docs.rs", "api/source_files.rs", "s3/", "git/"];
    report(sources("server/src").iter().flat_map(|(path, text)| {
        const FORBIDDEN: [&str; 3] = [".route(", ".route_service(", ".nest_service("];
        let checked = !free.iter().any(|free| path.starts_with(free));
        let found = FORBIDDEN.iter().filter(move |call| checked && code(text).contains(**call));
        found.map(move |call| format!("{path}: {call}"))
    }));
}

#[test]
fn sql_is_in_the_store_only() {
    report(sources("server/src").iter().flat_map(|(path, text)| {
        const FORBIDDEN: [&str; 4] =
            ["sqlx::query", "QueryBuilder", "sqlx::raw_sql", "AssertSqlSafe"];
        let checked = !path.starts_with("store/");
        let found = FORBIDDEN.iter().filter(move |call| checked && code(text).contains(**call));
        found.map(move |call| format!("{path}: {call}"))
    }));
}

#[test]
fn no_file_is_too_long() {
    let folders = ["server/src", "client", "openapi/diff", "tests", "benches"];
    report(folders.iter().flat_map(|folder| sources(folder)).filter_map(|(path, text)| {
        let lines = text.lines().count();
        (lines > LINES_MAX).then(|| format!("{path}: {lines} lines, at most {LINES_MAX}"))
    }));
}

#[test]
fn the_checks_bite() {
    for (path, text) in [
        ("worker/mod.rs", "use crate::api::guard::Guard;"),
        ("api/tokens.rs", "use crate::store::tokens;"),
        ("api/mod.rs", "use super::store;"),
        ("api/mod.rs", "use crate::{model::access::Caller, backend::{git, vault}};"),
        ("cli/admin.rs", "fn f(store: &crate::store::Store) {}"),
        ("service/edits/apply/plan.rs", "use super::super::super::super::api;"),
        ("service/tokens.rs", "use crate::cli;"),
        ("store/jobs.rs", "use crate::backend::objects;"),
        ("backend/git/mod.rs", "use crate::store::Tx;"),
        ("backend/vault.rs", "use crate::telemetry;"),
        ("model/id.rs", "use crate::service::Error;"),
        ("somewhere/new.rs", ""),
    ] {
        assert_eq!(wrong_arrows(path, text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("api/mod.rs", "use crate::{model::access::Caller, service::{Services, tokens}};"),
        ("app.rs", "use crate::{api, telemetry, worker};"),
        ("cli/serve.rs", "use crate::app::App;"),
        ("service/edits/mod.rs", "// as in crate::api\nuse super::store_of;\nmycrate::api::f();"),
    ] {
        assert_eq!(wrong_arrows(path, text), Vec::<String>::new(), "{path}: {text}");
    }
    assert!(names("fn f() -> sqlx::Error", "sqlx") && !names("mysqlx::f()", "sqlx"));
}

fn wrong_arrows(path: &str, text: &str) -> Vec<String> {
    let modules = module(path);
    let layer = modules[0];
    let Some(targets) = targets(layer) else {
        return vec![format!("{path}: no such layer; lib.rs lists them")];
    };
    let text = code(text);
    let mut found = heads(&text, "crate::");
    // As many `super` as the module is deep lead to the crate as well.
    let up = "super::".repeat(modules.len());
    found.extend(heads(&text, &up).into_iter().filter(|head| LAYERS.contains(&head.as_str())));
    found.retain(|head| head != layer && !targets.contains(&head.as_str()));
    found.iter().map(|head| format!("{path}: {layer} -> {head}")).collect()
}

/// The first names after each `prefix`, also where several stand in braces.
fn heads(text: &str, prefix: &str) -> Vec<String> {
    let starts = text.match_indices(prefix).filter(|(at, _)| starts_path(text, *at));
    let mut found = Vec::new();
    for (at, _) in starts {
        let rest = text[at + prefix.len()..].trim_start();
        let Some(group) = rest.strip_prefix('{') else {
            found.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = 0;
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    found.push(word(group[item..index].trim_start()));
                    item = index + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found.retain(|head| !head.is_empty());
    found
}

/// Whether no longer path or name ends at `at`.
fn starts_path(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
}

fn names(text: &str, krate: &str) -> bool {
    let (text, path) = (code(text), format!("{krate}::"));
    text.match_indices(&path).any(|(at, _)| starts_path(&text, at))
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The text without comment lines.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `api/mod.rs` is the module `api`, `app/listen.rs` is `app::listen`.
fn module(path: &str) -> Vec<&str> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.strip_suffix("/mod").unwrap_or(path).split('/').collect()
}

fn dependencies(manifest: &str) -> impl Iterator<Item = String> {
    let table = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let lines = table.split("\n[").next().unwrap_or_default().lines();
    lines.map(|line| word(&line.replace('-', "_"))).filter(|name| !name.is_empty())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Path below `folder`, and text, of every Rust file there.
fn sources(folder: &str) -> Vec<(String, String)> {
    let base = root().join(folder);
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![base.clone()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(&base).expect("below").to_string_lossy().into_owned();
            found.push((name, std::fs::read_to_string(&path).expect("UTF-8")));
        }
    }
    found
}

fn report(found: impl Iterator<Item = String>) {
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

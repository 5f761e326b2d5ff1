//! The binary as CI calls it: exit codes, both kinds of output, files and standard input.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{CLINIC, clinic, edited, remove, set};

struct Desk(TempDir);

impl Desk {
    /// A folder with the fixture, and with an edited copy in JSON that lacks `getStatus`.
    fn new() -> Self {
        let desk = Self(TempDir::new().expect("a folder"));
        desk.write("old.yaml", CLINIC);
        desk.write("new.json", &edited(|doc| remove(doc, "/paths/~1status")).to_string());
        desk
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_openapi-diff"))
            .current_dir(self.0.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A command that does not read its input may be gone already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        child.wait_with_output().expect("the binary ends")
    }
}

/// Exit code, standard output and standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn equal_documents_exit_0_in_silence() {
    let desk = Desk::new();
    desk.write("same.json", &clinic().to_string());
    for command in ["drift", "compat"] {
        let (code, out, err) = said(&desk.run(&[command, "old.yaml", "same.json"]));
        assert_eq!((code, out.as_str()), (0, ""), "{err}");
        assert!(err.starts_with("0 "), "{err}");
    }
}

#[test]
fn findings_exit_1() {
    let desk = Desk::new();
    let (code, out, err) = said(&desk.run(&["drift", "old.yaml", "new.json"]));
    assert_eq!((code, out.as_str()), (1, "/paths/~1status: only in A\n"));
    assert_eq!(err, "1 difference between old.yaml and new.json\n");
    let (code, out, _) = said(&desk.run(&["compat", "old.yaml", "new.json"]));
    assert_eq!(code, 1);
    assert!(
        out.starts_with(
            "operation-removed /paths/~1status/get: the operation is gone. Who breaks: "
        ),
        "{out}"
    );
    let (code, out, _) = said(&desk.run(&["compat", "new.json", "old.yaml"]));
    assert_eq!((code, out.as_str()), (0, ""), "adding an operation breaks nobody");
}

#[test]
fn json_output_has_a_stable_shape() {
    let desk = Desk::new();
    let (code, out, _) = said(&desk.run(&["drift", "--json", "old.yaml", "new.json"]));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let finding = json!({"rule": "only-in-a", "pointer": "/paths/~1status", "direction": null, "message": "only in A"});
    let wanted = json!({"command": "drift", "first": "old.yaml", "second": "new.json", "count": 1, "findings": [finding]});
    assert_eq!((code, report), (1, wanted));
    let (code, out, _) = said(&desk.run(&["compat", "old.yaml", "new.json", "--json"]));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["count"], &report["command"]), (1, &json!(1), &json!("compat")));
    assert_eq!(report["findings"][0]["rule"], "operation-removed");
    assert_eq!(report["findings"][0]["direction"], "request");
    let (code, out, _) = said(&desk.run(&["drift", "--json", "old.yaml", "old.yaml"]));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["count"], &report["findings"]), (0, &json!(0), &json!([])));
}

#[test]
fn either_document_can_come_from_standard_input() {
    let desk = Desk::new();
    let (code, out, _) = said(&desk.run_with(&["drift", "-", "new.json"], CLINIC));
    assert_eq!((code, out.as_str()), (1, "/paths/~1status: only in A\n"));
    let (code, out, _) = said(&desk.run_with(&["drift", "new.json", "-"], CLINIC));
    assert_eq!((code, out.as_str()), (1, "/paths/~1status: only in B\n"));
    let (code, out, err) = said(&desk.run_with(&["drift", "-", "-"], CLINIC));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("only one of the documents"), "{err}");
}

#[test]
fn an_allow_list_silences_what_it_names() {
    let desk = Desk::new();
    let allow = |text: &str| {
        desk.write("allow.txt", text);
        said(&desk.run(&["compat", "old.yaml", "new.json", "--allow", "allow.txt"]))
    };
    let (code, out, _) =
        allow("# Release 2\n\noperation-removed /paths/~1status/get  # replaced by /health\n");
    assert_eq!((code, out.as_str()), (0, ""));
    let (code, out, _) = allow("operation-removed /paths/~1pets/get  # never happened\n");
    assert_eq!((code, out.lines().count()), (1, 2), "{out}");
    assert!(
        out.contains(
            "allow-entry-stale /paths/~1pets/get: allow list line 1 permits `operation-removed`"
        ),
        "{out}"
    );
    let (code, out, err) = allow("operation-removed /paths/~1status/get\n");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.starts_with("openapi-diff: allow.txt: allow list line 1: the reason is missing"),
        "{err}"
    );
}

/// A line of output starts with what an allow list wants, whatever the names in the document are.
#[test]
fn every_break_can_be_pasted_into_an_allow_list() {
    let desk = Desk::new();
    let header = json!({"name": "X Odd #1 ~/", "in": "header", "required": true, "schema": {}});
    let doc = edited(|doc| set(doc, "/paths/~1pets/get/parameters/-", header.clone()));
    desk.write("odd.json", &doc.to_string());
    let (_, out, _) = said(&desk.run(&["compat", "old.yaml", "odd.json"]));
    let (entry, _) = out.split_once(": ").expect("pointer: message");
    desk.write("allow.txt", &format!("{entry}  # all clients send it"));
    let (code, out, err) =
        said(&desk.run(&["compat", "old.yaml", "odd.json", "--allow", "allow.txt"]));
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
}

#[test]
fn unreadable_documents_exit_2_and_name_file_and_place() {
    let desk = Desk::new();
    desk.write("twice.yaml", "openapi: 3.0.3\nopenapi: 3.0.3\n");
    desk.write("swagger.yaml", "swagger: '2.0'\n");
    desk.write("ref.yaml", "openapi: 3.0.3\ninfo: {}\npaths: {/a: {$ref: b.yaml}}\n");
    std::fs::write(desk.0.path().join("latin1.yaml"), b"a: \xe9").expect("writable");
    let refusals = [
        ("gone.yaml", "openapi-diff: gone.yaml: "),
        (".", "openapi-diff: .: "),
        ("twice.yaml", "openapi-diff: twice.yaml: line 2 column 1: "),
        ("swagger.yaml", "openapi-diff: swagger.yaml: this is Swagger 2; only OpenAPI 3.0 and 3.1"),
        (
            "ref.yaml",
            "openapi-diff: ref.yaml: /paths/~1a: `$ref: b.yaml` points outside the document",
        ),
        ("latin1.yaml", "openapi-diff: latin1.yaml: byte 3 is not UTF-8"),
    ];
    for (file, message) in refusals {
        for pair in [[file, "old.yaml"], ["old.yaml", file]] {
            let (code, out, err) = said(&desk.run(&["compat", pair[0], pair[1]]));
            assert_eq!((code, out.as_str()), (2, ""), "{err}");
            assert!(err.starts_with(message), "{err}");
        }
    }
}

#[test]
fn usage_and_help() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["drift", "old.yaml"]).status.code(), Some(2));
    assert_eq!(desk.run(&["merge"]).status.code(), Some(2));
    let (code, out, _) = said(&desk.run(&["--help"]));
    assert!(
        code == 0
            && out.contains("drift")
            && out.contains("Exit code: 0 nothing found, 1 findings"),
        "{out}"
    );
    let (code, out, _) = said(&desk.run(&["compat", "--help"]));
    assert!(code == 0 && out.contains("--allow <FILE>") && out.contains("--json"), "{out}");
    let (code, out, _) = said(&desk.run(&["rules"]));
    assert!(code == 0 && out.contains("request-property-required\n"), "{out}");
}

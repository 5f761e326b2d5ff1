//! The command line for CI. Findings go to standard output and everything else to standard error; the exit code alone
//! must be enough to decide a build.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use openapi_diff::{AllowList, Error, Finding, RULES, Side, compat, drift, parse};
use serde_json::{Value, json};

/// Largest document or allow list, in bytes.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

/// Compare two OpenAPI documents (3.0 or 3.1, YAML or JSON, in any mixture).
///
/// Exit code: 0 nothing found, 1 findings, 2 wrong usage or an unreadable document.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List every difference of two documents that should say the same
    ///
    /// Both are normalised first: 3.1 is written as 3.0, references to shared parameters and responses are followed, and
    /// order that means nothing and defaults of the specification do not count. Everything else does, also descriptions,
    /// examples and extensions.
    Drift {
        /// First document, `-` for standard input
        a: PathBuf,
        /// Second document, `-` for standard input
        b: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// List what breaks clients of the old document when the server moves to the new one
    ///
    /// Requests and responses are told apart: a request may be allowed more, a response may promise more. Generated
    /// clients count too, so a renamed operationId is a break. See `openapi-diff rules` for all rules.
    Compat {
        /// The document clients were written against, `-` for standard input
        old: PathBuf,
        /// The document the server will follow, `-` for standard input
        new: PathBuf,
        /// File of accepted breaks, one per line: `<rule> <pointer>  # reason`; a line that matches nothing is a finding
        #[arg(long, value_name = "FILE")]
        allow: Option<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// List the rules of `compat`
    Rules,
}

#[derive(Args)]
struct Output {
    /// Print one JSON object instead of lines of text
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("openapi-diff: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Drift { a, b, output } => {
            let findings = compare([&a, &b], drift)?;
            report("drift", "difference", [&a, &b], &findings, output.json)
        }
        Command::Compat { old, new, allow, output } => {
            let allowed = match &allow {
                Some(path) => AllowList::parse(&read(path)?)
                    .map_err(|error| format!("{}: {error}", name(path)))?,
                None => AllowList::default(),
            };
            let findings = allowed.apply(compare([&old, &new], compat)?);
            report("compat", "breaking change", [&old, &new], &findings, output.json)
        }
        Command::Rules => {
            let lines = RULES.iter().map(|rule| {
                format!(
                    "{}\n    who breaks: {}\n    instead: {}\n",
                    rule.id, rule.breaks, rule.instead
                )
            });
            print(&lines.collect::<String>())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

type Comparison = fn(&Value, &Value) -> Result<Vec<Finding>, Error>;

fn compare(paths: [&Path; 2], comparison: Comparison) -> Result<Vec<Finding>, String> {
    if paths.iter().all(|path| is_stdin(path)) {
        return Err(
            "only one of the documents can come from standard input; name a file for the other"
                .to_owned(),
        );
    }
    let document =
        |path: &Path| parse(&read(path)?).map_err(|error| format!("{}: {error}", name(path)));
    let [first, second] = paths;
    comparison(&document(first)?, &document(second)?).map_err(|error| match error {
        Error::Side { side: Side::First, source } => format!("{}: {source}", name(first)),
        Error::Side { side: Side::Second, source } => format!("{}: {source}", name(second)),
        other => other.to_string(),
    })
}

fn report(
    command: &str,
    what: &str,
    paths: [&Path; 2],
    findings: &[Finding],
    as_json: bool,
) -> Result<ExitCode, String> {
    let [first, second] = paths.map(name);
    let text = if as_json {
        let report = json!({
            "command": command,
            "first": first,
            "second": second,
            "count": findings.len(),
            "findings": findings,
        });
        format!("{report:#}\n")
    } else {
        findings.iter().map(|finding| format!("{finding}\n")).collect()
    };
    print(&text)?;
    let plural = if findings.len() == 1 { "" } else { "s" };
    eprintln!("{} {what}{plural} between {first} and {second}", findings.len());
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

fn print(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // The reader, `head` perhaps, has seen enough; the exit code still stands.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| format!("standard output: {error}")),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let place = |error: io::Error| format!("{}: {error}", name(path));
    let source: Box<dyn Read> = if is_stdin(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(place)?)
    };
    let mut bytes = Vec::new();
    source.take(MAX_INPUT + 1).read_to_end(&mut bytes).map_err(place)?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(format!("{}: larger than {MAX_INPUT} bytes; split the document", name(path)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("{}: byte {at} is not UTF-8; save the file as UTF-8", name(path))
    })
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

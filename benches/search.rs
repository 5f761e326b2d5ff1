//! Ranked search over HTTP: how long the first question takes, the first after an edit, and any
//! other; and how often the right function is found, beside BM25 over plain words in the same run.
//!
//! `cargo build --release && cargo bench --bench search [-- CHECKOUT]`

mod load;

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use load::sources::{checkout, fill, id_of, write};
use load::{Connection, Sample, Server, request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

const FILES: usize = 3_088;
const EDITS: usize = 20;
const ROUNDS: usize = 200;
const FUNCTIONS: usize = 5_000;
const QUESTIONS: usize = 500;
/// Sentences with fewer words describe nothing.
const WORDS_MIN: usize = 4;
/// A place behind these counts as not found.
const PLACES: usize = 10;

#[tokio::main]
async fn main() {
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let files = checkout(FILES);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("{} files, {:.1} MB", files.len(), bytes as f64 / 1e6);
    let id = fill(&mut connection, &files).await;
    let ask = |query: &str| asking(&id, query);
    let before = server.rss_mib();
    println!("first question       {}", timed(&mut connection, &[ask("read a file")]).await);
    println!("the index takes      {:.1} MiB resident", server.rss_mib() - before);
    let mut latencies = Vec::new();
    for n in 0..EDITS {
        let body = json!({"source": {"type": "diff", "operations": [write("src/new.rs", &format!("// {n}\n"))]}});
        let path = format!("/v1/repo/{id}/update");
        id_of(connection.send(&request("POST", &path, &body.to_string())).await, 200);
        let started = Instant::now();
        found(&mut connection, &ask("read a file")).await;
        latencies.push(started.elapsed());
    }
    let wall = latencies.iter().sum();
    println!("first after an edit  {}", Sample::new(latencies, wall));
    for query in ["parse", "how are retries counted", "HashMap::with_capacity", "\"impl Iterator\""]
    {
        println!("{query:<25} {}", timed(&mut connection, &vec![ask(query); ROUNDS]).await);
    }
    quality(&mut connection, &functions(&files)).await;
    println!("resident memory at the end: {:.1} MiB", server.rss_mib());
    server.stop();
}

fn asking(repo: &str, query: &str) -> Vec<u8> {
    let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
    request("GET", &format!("/v1/repo/{repo}/files/search?limit={PLACES}&query={query}"), "")
}

/// The paths that are found, the best one first.
async fn found(connection: &mut Connection, asking: &[u8]) -> Vec<String> {
    let (status, body) = connection.send(asking).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
    let page: Value = serde_json::from_slice(body).expect("JSON");
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| item["path"].as_str().expect("a path").to_owned()).collect()
}

async fn timed(connection: &mut Connection, questions: &[Vec<u8>]) -> Sample {
    let (started, mut latencies) = (Instant::now(), Vec::new());
    for question in questions {
        let sent = Instant::now();
        found(connection, question).await;
        latencies.push(sent.elapsed());
    }
    Sample::new(latencies, started.elapsed())
}

/// The first sentence of its documentation, and the function without it.
struct Function {
    sentence: String,
    text: String,
}

/// Asks for functions by what their documentation says of them; the documentation is not searched.
async fn quality(connection: &mut Connection, functions: &[Function]) {
    let path = |number: usize| format!("f{number}");
    let files: Vec<_> =
        functions.iter().enumerate().map(|(n, it)| (path(n), it.text.clone())).collect();
    let id = fill(connection, &files).await;
    let plain = Plain::new(functions);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let step = (functions.len() / QUESTIONS).max(1);
    for (number, function) in functions.iter().enumerate().step_by(step) {
        let found = found(connection, &asking(&id, &function.sentence)).await;
        ours.push(found.iter().position(|found| *found == path(number)));
        theirs.push(plain.place(number, &function.sentence));
    }
    println!("{} functions, {} questions", functions.len(), ours.len());
    let (ours, theirs) = (quality_of("repoplane", &ours), quality_of("BM25, plain words", &theirs));
    println!("ratio of MRR@{PLACES}: {:.2}", ours / theirs);
}

fn quality_of(name: &str, places: &[Option<usize>]) -> f64 {
    let all = places.len() as f64;
    let within = |most| places.iter().flatten().filter(|place| **place < most).count() as f64 / all;
    let reciprocal = |place: &usize| 1.0 / (*place as f64 + 1.0);
    let mrr = places.iter().flatten().map(reciprocal).sum::<f64>() / all;
    println!(
        "{name:<20} MRR@{PLACES} {mrr:.3}  R@1 {:.3}  R@{PLACES} {:.3}",
        within(1),
        within(PLACES)
    );
    mrr
}

/// Documented functions of Rust files; each sentence once.
fn functions(files: &[(String, String)]) -> Vec<Function> {
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    for (_, text) in files.iter().filter(|(name, _)| name.ends_with(".rs")) {
        let lines: Vec<&str> = text.lines().collect();
        let mut documentation: Vec<&str> = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let bare = line.trim_start();
            if let Some(said) = bare.strip_prefix("///") {
                documentation.push(said.trim());
            } else if is_function(bare) {
                let sentence = first_sentence(&std::mem::take(&mut documentation));
                let long = sentence.split_whitespace().count() >= WORDS_MIN;
                if long && all.len() < FUNCTIONS && seen.insert(sentence.clone()) {
                    all.push(Function { sentence, text: body(&lines[number..]) });
                }
            } else if !bare.starts_with("#[") {
                documentation.clear();
            }
        }
    }
    all
}

fn is_function(line: &str) -> bool {
    let words = line.split_whitespace().take_while(|word| !word.contains("fn("));
    let before: Vec<_> = words.take_while(|word| *word != "fn").collect();
    let marks = ["pub", "const", "async", "unsafe", "pub(crate)", "pub(super)"];
    line.contains("fn ") && before.iter().all(|word| marks.contains(word))
}

fn first_sentence(documentation: &[&str]) -> String {
    let paragraph: Vec<_> =
        documentation.iter().take_while(|line| !line.is_empty()).copied().collect();
    let text = paragraph.join(" ");
    let end = text.find(". ").unwrap_or(text.len());
    text[..end].chars().take(500).collect()
}

/// From its first line to the closing brace that stands where the first line does.
fn body(lines: &[&str]) -> String {
    let indent = lines[0].len() - lines[0].trim_start().len();
    let is_end = |line: &&str| line.len() == indent + 1 && line.ends_with('}');
    let single = lines[0].trim_end().ends_with([';', '}']);
    let last = if single { 0 } else { lines.iter().position(is_end).unwrap_or(0) };
    let code = lines[..=last].iter().filter(|line| !line.trim_start().starts_with("///"));
    code.copied().collect::<Vec<_>>().join("\n")
}

/// BM25 over runs of letters and digits, as they are.
struct Plain {
    documents: Vec<HashMap<String, f64>>,
    lengths: Vec<f64>,
    with: HashMap<String, f64>,
}

impl Plain {
    fn new(functions: &[Function]) -> Self {
        let mut plain = Self { documents: vec![], lengths: vec![], with: HashMap::new() };
        for function in functions {
            let mut counts: HashMap<String, f64> = HashMap::new();
            words(&function.text).for_each(|word| *counts.entry(word).or_default() += 1.0);
            counts.keys().for_each(|word| *plain.with.entry(word.clone()).or_default() += 1.0);
            plain.lengths.push(counts.values().sum());
            plain.documents.push(counts);
        }
        plain
    }

    /// Where the function is among all.
    fn place(&self, wanted: usize, question: &str) -> Option<usize> {
        let all = self.documents.len() as f64;
        let average = self.lengths.iter().sum::<f64>() / all;
        let score = |number: usize| {
            let words: HashSet<String> = words(question).collect();
            let of = |word: &String| {
                let count = self.documents[number].get(word).copied().unwrap_or_default();
                let with = self.with.get(word).copied().unwrap_or_default();
                let says = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
                says * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * self.lengths[number] / average))
            };
            let mut parts: Vec<f64> = words.iter().map(of).collect();
            parts.sort_by(f64::total_cmp);
            parts.iter().sum::<f64>()
        };
        let own = score(wanted);
        let better = (0..self.documents.len()).filter(|number| {
            let other = score(*number);
            other > own || other == own && *number < wanted
        });
        Some(better.count()).filter(|place| own > 0.0 && *place < PLACES)
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

//! Ten thousand edits of one source repo: whether the last are slower than the first, and what the
//! server and its folder have grown by.
//!
//! `cargo build --release && cargo bench --bench growth`

mod load;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use load::sources::{fill, id_of, made_up, write};
use load::{Connection, Sample, Server, request};
use serde_json::json;

const FILES: usize = 1_000;
const EDITS: usize = 10_000;
/// As many at the beginning and at the end are compared.
const COMPARED: usize = 1_000;
const WRITTEN_BYTES: usize = 2_048;

#[tokio::main]
async fn main() {
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let id = fill(&mut connection, &made_up(FILES)).await;
    let path = format!("/v1/repo/{id}/update");
    let place = |n: usize| format!("src/m0/d{}/edited{}.rs", n % 100, n / 100 % 10);
    let folder = server.folder.path().to_owned();
    let (before, began) = (bytes_kept(&folder, &id), Instant::now());
    let mut latencies = Vec::with_capacity(EDITS);
    for n in 0..EDITS {
        let body = json!({"source": {"type": "diff", "operations": [write(&place(n), &text(n))]}});
        let body = request("POST", &path, &body.to_string());
        let sent = Instant::now();
        id_of(connection.send(&body).await, 200);
        latencies.push(sent.elapsed());
    }
    let sample = |part: &[Duration]| Sample::new(part.to_vec(), part.iter().sum());
    let first = sample(&latencies[..COMPARED]);
    let last = sample(&latencies[EDITS - COMPARED..]);
    println!("{EDITS} edits in {:.0} s", began.elapsed().as_secs_f64());
    println!("the first {COMPARED}   {first}");
    println!("the last {COMPARED}    {last}");
    println!("  p50 {:.2} of the first", last.percentile_ms(50) / first.percentile_ms(50));
    println!("resident memory at most {:.1} MiB", server.rss_most_mib());
    let folder = server.stop();
    let grown = bytes_kept(folder.path(), &id) - before;
    println!("grown by {:.2} KiB per edit", grown / 1024.0 / EDITS as f64);
}

/// Text that compresses like sources do.
fn text(n: usize) -> String {
    let mut state = n as u64;
    let mut text = String::with_capacity(WRITTEN_BYTES);
    while text.len() < WRITTEN_BYTES {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!(
            "    let value_{} = {};\n",
            state >> 40 & 0xff,
            state >> 33 & 0xffff
        ));
    }
    text
}

/// The database and the newest base pack. Those that it has replaced are gone after an hour.
fn bytes_kept(folder: &Path, id: &str) -> f64 {
    let files = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?))).collect::<Vec<_>>()
    };
    let database = files(folder).into_iter().filter(|(_, file)| file.is_file());
    let database: u64 = database.map(|(_, file)| file.len()).sum();
    let packs = files(&folder.join("objects/source").join(id));
    let bases = packs.iter().filter(|(path, _)| path.to_string_lossy().ends_with(".base.pack"));
    let made = |file: &std::fs::Metadata| file.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let base = bases.max_by_key(|(_, file)| made(file)).map_or(0, |(_, file)| file.len());
    (database + base) as f64
}

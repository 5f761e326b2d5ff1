//! The S3 gateway in front of two buckets, beside a client that writes both itself, beside rclone over a
//! union of the same two, and beside a relay that does nothing but pass PUTs on to both, in the same run.
//!
//! `.ci/peers && cargo build --release && cargo bench --bench gateway`

mod load;

use std::time::{Duration, Instant};

use load::relay::{Relay, become_one_if_asked};
use load::s3::{Line, Peer, Place};
use load::{Connection, Sample, Server, request, spent};
use serde_json::{Value, json};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// How often the contestants take turns. What they did is compared turn by turn, since the machine is not
/// as fast at any time; the median counts.
const TURNS: usize = 9;
/// Keys of a client that writes them again and again.
const FEW_KEYS: usize = 20;
/// Pieces that large bodies are sent in, in bytes.
const PIECE: u64 = 256 * KIB;
const LARGE: u64 = 5 * 1024 * MIB;

/// How a contestant gets to the buckets.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// With a request to each of these places.
    To(&'a [Place]),
    /// With one to a relay, which makes one to each of these places of it.
    Through(&'a Relay, &'a [Place]),
}

fn main() {
    become_one_if_asked();
    benchmark();
}

#[tokio::main]
async fn benchmark() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let (peer_a, mut peer_b) = (Peer::start("bench-a"), Peer::start("bench-b"));
    let union = Peer::union(&[(&peer_a, "bench-a"), (&peer_b, "bench-b")]);
    let server = Server::with_gateway();
    let (gateway, repo) = mirror(&server, &[(&peer_a, "bench-a"), (&peer_b, "bench-b")]).await;
    let both = [Place::of(&peer_a, "bench-a"), Place::of(&peer_b, "bench-b")];
    let union = Place::of(&union, "both");
    if wanted("cells") {
        let relay = Relay::start(&[&peer_a, &peer_b]);
        // In the order in which `cells` names them.
        let contestants = [
            Way::To(&both),
            Way::To(std::slice::from_ref(&gateway)),
            Way::To(std::slice::from_ref(&union)),
            Way::Through(&relay, &both),
        ];
        let between = vec![server.pid(), relay.pid()];
        let at_work = [vec![std::process::id()], vec![peer_a.pid(), peer_b.pid()], between];
        let mut api = Connection::open(server.address).await;
        cells(&contestants, &at_work, async || brought(&mut api, &repo).await).await;
    }
    if wanted("memory") {
        memory(&server, &gateway).await;
    }
    if wanted("outage") {
        outage(&gateway, &mut peer_b).await;
    }
    println!("resident memory at the end: {:.1} MiB", server.rss_mib());
    server.stop();
}

/// Those that read, too: all but the relay.
const READERS: usize = 3;

/// `at_work` are the client, the peers, and what stands between them; `brought` waits until both buckets
/// have all, and says how much one of them did not get with the write.
async fn cells(
    contestants: &[Way<'_>; 4],
    at_work: &[Vec<u32>; 3],
    mut brought: impl AsyncFnMut() -> u64,
) {
    // Replacing small files costs the peers more than making new ones does: ext4 steps over all inodes
    // that were freed in the last seconds. So there are cells of both kinds.
    for (name, bytes, fresh) in [
        ("new 4 KiB", 4 * KIB, true),
        ("4 KiB", 4 * KIB, false),
        ("1 MiB", MIB, false),
        ("64 MiB", 64 * MIB, false),
    ] {
        for clients in [1, 16] {
            let count = count(bytes, clients);
            let mut puts = [[0.0; 4]; TURNS];
            let mut gets = [[0.0; READERS]; TURNS];
            let mut cpu = [[Duration::ZERO; 3]; 4];
            let mut missed = 0;
            for (turn, (puts, gets)) in puts.iter_mut().zip(&mut gets).enumerate() {
                let work = |kind| Work {
                    kind,
                    bytes,
                    count,
                    keys: if fresh { count } else { count.min(FEW_KEYS) },
                    turn: if fresh { turn } else { 0 },
                };
                for place in in_turn(puts.len(), turn) {
                    let before = all_spent(at_work);
                    let put = run(contestants[place], work(Kind::Put), clients).await;
                    puts[place] = put.per_second();
                    let after = all_spent(at_work);
                    for (who, cpu) in cpu[place].iter_mut().enumerate() {
                        *cpu += after[who] - before[who];
                    }
                    missed += brought().await;
                }
                for place in in_turn(gets.len(), turn) {
                    let get = run(contestants[place], work(Kind::Get), clients).await;
                    gets[place] = get.per_second();
                }
            }
            let mib = |per_second: f64| per_second * bytes as f64 / MIB as f64;
            print!("PUT {name:>9}, {clients:2} clients: {}", compared(&puts, mib));
            println!(
                "   relay {:.1}/s, {:.2} of direct, {:.2}x union; gateway {:.2} of relay",
                median(&puts, |t| t[3]),
                median(&puts, |t| t[3] / t[0]),
                median(&puts, |t| t[3] / t[2]),
                median(&puts, |t| t[1] / t[3]),
            );
            if missed > 0 {
                println!("    at least {missed} of the gateway's PUTs left one of the buckets out");
            }
            println!("GET {name:>9}, {clients:2} clients: {}", compared(&gets, mib));
            let [direct, gateway, _, relay] = cpu.map(|cpu| {
                cpu.map(|cpu| cpu.as_secs_f64() * 1e3 / (TURNS * count * clients) as f64)
            });
            let [client, peers, _] = direct;
            println!(
                "    CPU per PUT: direct {client:.2} ms in the client, {peers:.2} in the peers"
            );
            for (name, [client, peers, itself]) in [("gateway", gateway), ("relay", relay)] {
                println!("        {name} {client:.2}, {peers:.2}, {itself:.2} in itself");
            }
        }
    }
}

/// The gateway with the direct client and the union.
fn compared<const N: usize>(turns: &[[f64; N]; TURNS], mib: impl Fn(f64) -> f64) -> String {
    let [direct, gateway, union] = [0, 1, 2].map(|place| median(turns, |t| t[place]));
    format!(
        "direct {direct:7.1}/s ({:6.1} MiB/s)  gateway {gateway:7.1}/s ({:6.1} MiB/s)  \
         union {union:7.1}/s   {:.2} of direct, {:.2}x union",
        mib(direct),
        mib(gateway),
        median(turns, |t| t[1] / t[0]),
        median(turns, |t| t[1] / t[2]),
    )
}

/// The numbers of so many contestants, in another order each time, since what one leaves behind, such as
/// inodes just freed, costs the next one time.
fn in_turn(contestants: usize, turn: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..contestants).map(|n| (n + turn) % contestants).collect();
    // Who follows whom changes, too, once each has been the first.
    if turn / contestants % 2 == 1 {
        order.reverse();
    }
    order
}

fn all_spent(at_work: &[Vec<u32>; 3]) -> [Duration; 3] {
    at_work.each_ref().map(|pids| pids.iter().map(|pid| spent(*pid)).sum())
}

fn median<const N: usize>(turns: &[[f64; N]; TURNS], of: impl Fn(&[f64; N]) -> f64) -> f64 {
    let mut found = turns.each_ref().map(of);
    found.sort_by(f64::total_cmp);
    found[TURNS / 2]
}

/// Operations of each client in one turn.
fn count(bytes: u64, clients: usize) -> usize {
    match (bytes, clients) {
        (0..=65_536, 1) => 1_500,
        (0..=65_536, _) => 200,
        (65_537..=8_388_608, 1) => 300,
        (65_537..=8_388_608, _) => 40,
        (_, 1) => 4,
        _ => 1,
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Put,
    Get,
}

/// What a client does: so many operations on so many keys, which are others in another turn.
#[derive(Clone, Copy)]
struct Work {
    kind: Kind,
    bytes: u64,
    count: usize,
    keys: usize,
    turn: usize,
}

impl Work {
    fn put(bytes: u64, count: usize) -> Self {
        Self { kind: Kind::Put, bytes, count, keys: count.min(FEW_KEYS), turn: 0 }
    }
}

/// Clients that each do one operation after the other: with several places, in all at once. What was
/// written to several is read from the first.
async fn run(way: Way<'_>, work: Work, clients: usize) -> Sample {
    load::settle();
    let (places, addresses) = match (way, work.kind) {
        (Way::To(places), Kind::Put) => (places, places.iter().map(|p| p.address).collect()),
        (Way::To(places), Kind::Get) => (&places[..1], vec![places[0].address]),
        (Way::Through(relay, places), _) => (places, vec![relay.address]),
    };
    let mut ready = vec![];
    for client in 0..clients {
        let mut lines = vec![];
        for address in &addresses {
            lines.push(Line::open(*address).await);
        }
        let mut heads = heads(places, work, client);
        if let Way::Through(..) = way {
            heads = heads.iter().map(|heads| vec![Relay::head(heads, work.bytes)]).collect();
        }
        ready.push(one(lines, heads, work));
    }
    let started = Instant::now();
    let tasks: Vec<_> = ready.into_iter().map(tokio::spawn).collect();
    let mut latencies = vec![];
    for task in tasks {
        latencies.extend(task.await.expect("a client"));
    }
    Sample::new(latencies, started.elapsed())
}

/// What a client is to send for each of its keys, to each place.
fn heads(places: &[Place], work: Work, client: usize) -> Vec<Vec<Vec<u8>>> {
    let Work { kind, bytes, keys, turn, .. } = work;
    let of_key = |n| {
        // Nobody writes what another one has written.
        let key = format!("{}/{bytes}/{client}/{turn}/{n}", places[0].bucket);
        let head = |place: &Place| match kind {
            Kind::Put => place.put(&key, bytes),
            Kind::Get => place.get(&key),
        };
        places.iter().map(head).collect()
    };
    (0..keys).map(of_key).collect()
}

async fn one(mut lines: Vec<Line>, heads: Vec<Vec<Vec<u8>>>, work: Work) -> Vec<Duration> {
    let Work { kind, bytes, count, .. } = work;
    let piece: Vec<u8> = (0..bytes.min(PIECE)).map(|n| (n * 31 % 251) as u8).collect();
    let (piece, repeat) = match kind {
        Kind::Put => (piece.as_slice(), bytes.div_ceil(PIECE).max(1)),
        Kind::Get => (&[][..], 1),
    };
    let mut latencies = vec![];
    for heads in heads.iter().cycle().take(count) {
        let sent = Instant::now();
        let sends = lines.iter_mut().zip(heads).map(|(line, head)| line.send(head, piece, repeat));
        for (status, came) in futures::future::join_all(sends).await {
            assert_eq!(status, 200);
            assert!(matches!(kind, Kind::Put) || came == bytes);
        }
        latencies.push(sent.elapsed());
    }
    latencies
}

/// Waits until every bucket has been brought what it missed. How many objects that were at first.
async fn brought(api: &mut Connection, repo: &str) -> u64 {
    let mut most = 0;
    loop {
        let (status, answer) = api.send(&request("GET", &format!("/repo/{repo}/mirror"), "")).await;
        assert_eq!(status, 200);
        let mirror: Value = serde_json::from_slice(answer).expect("JSON");
        let members = mirror["spaces"][0]["members"].as_array().expect("members");
        let debts = members.iter().map(|m| m["debts"].as_u64().expect("a number")).sum();
        most = most.max(debts);
        if debts == 0 {
            return most;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How much the server grows while one very large object goes through, and many at once.
async fn memory(server: &Server, gateway: &Place) {
    run(Way::To(std::slice::from_ref(gateway)), Work::put(MIB, 12), 16).await;
    let before = server.rss_mib();
    let place = gateway.clone();
    let large = async move {
        let piece = vec![7; PIECE as usize];
        let mut line = Line::open(place.address).await;
        let (status, _) = line.send(&place.put("large", LARGE), &piece, LARGE / PIECE).await;
        assert_eq!(status, 200);
    };
    let peak = watched(server, large).await;
    println!("5 GiB in one PUT: resident memory {before:.1} MiB before, {peak:.1} MiB at most");
    let before = server.rss_mib();
    let place = [gateway.clone()];
    let many = async move { drop(run(Way::To(&place), Work::put(16 * MIB, 1), 100).await) };
    let peak = watched(server, many).await;
    println!("100 PUTs of 16 MiB: resident memory {before:.1} MiB before, {peak:.1} MiB at most");
}

async fn watched(server: &Server, work: impl Future<Output = ()> + Send + 'static) -> f64 {
    let work = tokio::spawn(work);
    let mut peak: f64 = 0.0;
    while !work.is_finished() {
        peak = peak.max(server.rss_mib());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    work.await.expect("the work is done");
    peak
}

/// Writes with all buckets, and with one of them gone.
async fn outage(gateway: &Place, peer: &mut Peer) {
    let place = Way::To(std::slice::from_ref(gateway));
    for (name, bytes, clients) in [("4 KiB", 4 * KIB, 16), ("1 MiB", MIB, 1)] {
        let healthy = run(place, Work::put(bytes, 100), clients).await;
        println!("PUT {name}, {clients} clients, all buckets there: {healthy}");
    }
    peer.stop();
    for (name, bytes, clients) in [("4 KiB", 4 * KIB, 16), ("1 MiB", MIB, 1)] {
        let alone = run(place, Work::put(bytes, 100), clients).await;
        println!("PUT {name}, {clients} clients, one bucket gone:  {alone}");
    }
}

/// A MIRROR repo over the peers' buckets, in a folder that nobody else writes to: a key to it, and its id.
async fn mirror(server: &Server, peers: &[(&Peer, &str)]) -> (Place, String) {
    let mut api = Connection::open(server.address).await;
    let mut links = vec![];
    for (number, (peer, bucket)) in peers.iter().enumerate() {
        let body = json!({
            "name": bucket, "storageType": "S3", "bucket": bucket,
            "endpoint": format!("http://{}", peer.address), "region": "us-east-1",
            "key": load::s3::KEY, "secret": load::s3::SECRET,
        });
        let made = post(&mut api, "/bucket", &body).await;
        links.push(
            json!({ "bucketId": made["bucketId"], "folder": "mirror", "master": number == 0 }),
        );
    }
    let body =
        json!({ "name": "bench", "storageType": "S3", "mode": "MIRROR", "repoBuckets": links });
    let repo = post(&mut api, "/repo", &body).await;
    let id = repo["repoId"].as_str().expect("an id").to_owned();
    let path = format!("/repo/{id}/apikey");
    let body = json!({ "name": "bench", "accessType": "WRITE" });
    let key = post(&mut api, &path, &body).await;
    let text = |name: &str| key[name].as_str().expect("text").to_owned();
    let place = Place {
        address: server.gateway.expect("a gateway"),
        bucket: "bench".to_owned(),
        key: text("key"),
        secret: text("secret"),
    };
    (place, id)
}

async fn post(api: &mut Connection, path: &str, body: &Value) -> Value {
    let (status, answer) = api.send(&request("POST", path, &body.to_string())).await;
    assert!(status < 300, "{path}: {status} {}", String::from_utf8_lossy(answer));
    serde_json::from_slice(answer).expect("JSON")
}

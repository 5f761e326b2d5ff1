//! A load driver: a server process of its own, keep-alive connections with as little work on
//! the client's side as possible, and percentiles.

#![allow(dead_code, reason = "each bench uses a part")]

pub mod relay;
pub mod s3;
pub mod sources;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const TOKEN: &str = "rlc-benchbenchbenchbenchbenchbenchbe";

/// A release build of the server on an empty folder.
pub struct Server {
    child: Running,
    pub address: SocketAddr,
    /// Where it speaks S3, if it does.
    pub gateway: Option<SocketAddr>,
    pub folder: tempfile::TempDir,
}

/// Ends with the benchmark, also when that panics.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    pub fn start() -> Self {
        Self::on(scratch_folder())
    }

    /// With an S3 gateway, and buckets on this machine allowed.
    pub fn with_gateway() -> Self {
        Self::run(scratch_folder(), Some(free_address()))
    }

    /// Starts on what an earlier server left in `folder`.
    pub fn on(folder: tempfile::TempDir) -> Self {
        Self::run(folder, None)
    }

    fn run(folder: tempfile::TempDir, gateway: Option<SocketAddr>) -> Self {
        let address = free_address();
        let s3 = gateway.map_or_else(|| "off".to_owned(), |address| address.to_string());
        let child = Command::new(binary())
            .arg("serve")
            .args(["--listen", &address.to_string()])
            .arg("--data-dir")
            .arg(folder.path())
            .envs([
                ("REPOPLANE_BOOTSTRAP_TOKEN", TOKEN),
                ("REPOPLANE_LIMITS__REQUESTS_PER_SECOND", "1000000"),
                ("REPOPLANE_LIMITS__BURST", "1000000"),
                ("REPOPLANE_LOG__LEVEL", "warn"),
                ("REPOPLANE_EGRESS__ALLOW", "127.0.0.0/8"),
                ("REPOPLANE_S3_LISTEN", &s3),
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("the release binary starts");
        let server = Self { child: Running(child), address, gateway, folder };
        for address in [Some(address), gateway].into_iter().flatten() {
            wait_until_it_listens(address);
        }
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Resident memory, in MiB.
    pub fn rss_mib(&self) -> f64 {
        self.memory_mib("VmRSS")
    }

    /// The most it ever was.
    pub fn rss_most_mib(&self) -> f64 {
        self.memory_mib("VmHWM")
    }

    fn memory_mib(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process is there");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a known line");
        let kib = line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok());
        kib.expect("a number") / 1024.0
    }

    /// Stops in order and hands its folder back.
    pub fn stop(mut self) -> tempfile::TempDir {
        let pid = self.pid().to_string();
        let stopped = Command::new("kill").arg(&pid).status().expect("kill");
        assert!(stopped.success());
        self.child.0.wait().expect("the server ends");
        self.folder
    }
}

/// The time that all cores have spent in a process so far.
pub fn spent(pid: u32) -> Duration {
    /// What the kernel counts in, whatever its own clock does.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    // Behind the name, which may have anything in it.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields = fields.split_whitespace().skip(11).take(2);
    TICK * fields.map(|ticks| ticks.parse::<u32>().expect("a number")).sum()
}

/// Waits until all that was written is on the disk: who has to sync would wait for what others wrote
/// before.
pub fn settle() {
    let synced = Command::new("sync").status().expect("sync");
    assert!(synced.success());
}

pub fn scratch_folder() -> tempfile::TempDir {
    tempfile::tempdir_in(scratch()).expect("temporary folder")
}

/// Where benchmarks write: a disk, since a folder in memory would make fsync free.
fn scratch() -> PathBuf {
    let target = binary().parent().expect("target folder").to_owned();
    let folder = target.join("bench-data");
    std::fs::create_dir_all(&folder).expect("folder for the benchmark's data");
    folder
}

pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    let binary = own.ancestors().nth(2).expect("target/release").join("repoplane");
    assert!(binary.exists(), "build the server first: cargo build --release");
    binary
}

pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

pub fn wait_until_it_listens(address: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "{address} does not listen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self { stream, buffer: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a ready-made request; returns status and body.
    pub async fn send(&mut self, request: &[u8]) -> (u16, &[u8]) {
        self.stream.write_all(request).await.expect("request sent");
        self.buffer.clear();
        let (head, length) = loop {
            self.read().await;
            if let Some(head) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break (head + 4, content_length(&self.buffer[..head]));
            }
        };
        // Without a length it comes in chunks, which stay in the body as they are.
        while match length {
            Some(length) => self.buffer.len() < head + length,
            None => !self.buffer.ends_with(LAST_CHUNK),
        } {
            self.read().await;
        }
        let status = std::str::from_utf8(&self.buffer[9..12]).ok().and_then(|s| s.parse().ok());
        (status.expect("a status"), &self.buffer[head..])
    }

    async fn read(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.expect("answer");
        assert!(read > 0, "the server closed the connection");
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).expect("text");
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

pub fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Durations of single operations, and how long they took together.
pub struct Sample {
    latencies: Vec<Duration>,
    wall: Duration,
}

impl Sample {
    pub fn new(mut latencies: Vec<Duration>, wall: Duration) -> Self {
        latencies.sort_unstable();
        Self { latencies, wall }
    }

    pub fn latencies(&self) -> &[Duration] {
        &self.latencies
    }

    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.wall.as_secs_f64()
    }

    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len() - 1);
        self.latencies[index].as_secs_f64() * 1e3
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:8.0}/s   p50 {:6.2} ms   p99 {:6.2} ms",
            self.per_second(),
            self.percentile_ms(50),
            self.percentile_ms(99)
        )
    }
}

pub fn read_file(path: &Path) -> Option<String> {
    std::fs::read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

//! S3 peers that stand for clouds, and requests to whatever speaks S3: signed beforehand, so that the
//! client's side costs next to nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TTL: Duration = Duration::from_secs(3_600);
pub const KEY: &str = "bench-key";
pub const SECRET: &str = "bench-secret";

/// rclone's S3 server, on a folder or over other servers.
pub struct Peer {
    child: Child,
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
}

impl Peer {
    /// On a folder of its own, with one bucket in it.
    pub fn start(bucket: &str) -> Self {
        let folder = super::scratch_folder();
        std::fs::create_dir(folder.path().join(bucket)).expect("a bucket");
        let path = folder.path().display().to_string();
        Self::serve(folder, &path)
    }

    /// Over the buckets of others, writing to all of them.
    pub fn union(peers: &[(&Peer, &str)]) -> Self {
        let folder = super::scratch_folder();
        let mut config = String::new();
        let mut upstreams = vec![];
        for (number, (peer, bucket)) in peers.iter().enumerate() {
            config += &format!(
                "[peer{number}]\ntype = s3\nprovider = Other\nendpoint = http://{}\n\
                 access_key_id = {KEY}\nsecret_access_key = {SECRET}\n",
                peer.address
            );
            upstreams.push(format!("peer{number}:{bucket}"));
        }
        config += &format!(
            "[both]\ntype = union\nupstreams = {}\naction_policy = all\ncreate_policy = all\n\
             search_policy = ff\n[served]\ntype = combine\nupstreams = both=both:\n",
            upstreams.join(" ")
        );
        std::fs::write(folder.path().join("rclone.conf"), config).expect("a configuration");
        Self::serve(folder, "served:")
    }

    fn serve(folder: tempfile::TempDir, root: &str) -> Self {
        let address = super::free_address();
        let config = folder.path().join("rclone.conf");
        let child = Command::new(rclone())
            .args(["serve", "s3", "--vfs-cache-mode=off", "--log-level=ERROR"])
            .arg(format!("--config={}", config.display()))
            .arg(format!("--addr={address}"))
            .arg(format!("--auth-key={KEY},{SECRET}"))
            .arg(root)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rclone starts");
        super::wait_until_it_listens(address);
        Self { child, address, folder }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stop(&mut self) {
        self.child.kill().expect("rclone ends");
        self.child.wait().expect("rclone ends");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rclone() -> PathBuf {
    let target = super::binary();
    let target = target.ancestors().nth(2).expect("the target folder");
    let program = target.join("ci/peers/python/bin/rclone");
    assert!(Path::new(&program).exists(), "install the peers first: .ci/peers");
    program
}

/// A bucket somewhere, and what opens it.
#[derive(Clone)]
pub struct Place {
    pub address: SocketAddr,
    pub bucket: String,
    pub key: String,
    pub secret: String,
}

impl Place {
    pub fn of(peer: &Peer, bucket: &str) -> Self {
        let (key, secret) = (KEY.to_owned(), SECRET.to_owned());
        Self { address: peer.address, bucket: bucket.to_owned(), key, secret }
    }

    /// The head of a request, ready to be sent.
    pub fn put(&self, key: &str, bytes: u64) -> Vec<u8> {
        let (bucket, credentials) = self.parts();
        let url = bucket.put_object(Some(&credentials), key).sign(TTL);
        let target = &url[url::Position::BeforePath..];
        let host = self.address;
        format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {bytes}\r\n\r\n").into()
    }

    pub fn get(&self, key: &str) -> Vec<u8> {
        let (bucket, credentials) = self.parts();
        let url = bucket.get_object(Some(&credentials), key).sign(TTL);
        let target = &url[url::Position::BeforePath..];
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).into()
    }

    fn parts(&self) -> (Bucket, Credentials) {
        let url = format!("http://{}", self.address).parse().expect("a URL");
        let bucket = Bucket::new(url, UrlStyle::Path, self.bucket.clone(), "us-east-1");
        (bucket.expect("a bucket"), Credentials::new(&self.key, &self.secret))
    }
}

/// One keep-alive connection for large bodies.
pub struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self { stream, buffer: vec![0; 256 * 1024] }
    }

    /// Sends a head and `repeat` times a piece of body; returns the status and how many bytes came.
    pub async fn send(&mut self, head: &[u8], piece: &[u8], repeat: u64) -> (u16, u64) {
        if piece.len() <= 64 * 1024 && repeat == 1 {
            self.stream.write_all(&[head, piece].concat()).await.expect("request sent");
        } else {
            self.stream.write_all(head).await.expect("request sent");
            for _ in 0..repeat {
                self.stream.write_all(piece).await.expect("body sent");
            }
        }
        self.answer().await
    }

    async fn answer(&mut self) -> (u16, u64) {
        let mut filled = 0;
        let (head, length) = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.expect("answer");
            assert!(read > 0, "the server closed the connection");
            filled += read;
            let end = self.buffer[..filled].windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(head) = end {
                break (head + 4, super::content_length(&self.buffer[..head]).unwrap_or(0) as u64);
            }
        };
        let status = std::str::from_utf8(&self.buffer[9..12]).ok().and_then(|s| s.parse().ok());
        let mut came = (filled - head) as u64;
        while came < length {
            let read = self.stream.read(&mut self.buffer).await.expect("answer");
            assert!(read > 0, "the server closed the connection");
            came += read as u64;
        }
        (status.expect("a status"), length)
    }
}

//! Runs a client's script against a storage repo, and compares what it wrote with every bucket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{Context, SHA256};
use futures::TryStreamExt as _;
use repoplane::config::S3Listen;
use serde_json::json;
use tempfile::TempDir;

use crate::objects::stage::Stage as Objects;
use crate::storage::stage::User;
use crate::support::clouds::Cloud;
use crate::support::gateway::{self, Key, sign::hex};
use crate::support::program::program;
use crate::support::{Server, peers};

/// Keys that are listed at once.
const PAGE_KEYS: usize = 1_000;
pub const PYTHON: &str = "python/bin/python";

/// A script, and what has to be installed for it.
pub struct Script {
    pub needs: &'static [&'static str],
    pub program: &'static str,
    /// Behind the folder of scripts; the first is the script.
    pub arguments: &'static [&'static str],
}

/// Keys, and the digests of what is under them.
pub type Held = BTreeMap<String, String>;

/// Runs a script over two buckets on the local disk.
pub async fn on_disks(script: &Script) {
    if !peers::installed(script.needs) {
        return;
    }
    let server = start().await;
    let objects = Objects::on_disk(&server, "MIRROR", 2).await;
    check(&objects, run(&objects, script, Some("bucket-0")).await.held()).await;
    server.stop().await;
}

/// Runs a script over a bucket of S3, which is the primary, and one of Azure.
pub async fn in_clouds(script: &Script) {
    if !peers::installed(script.needs) {
        return;
    }
    let (Some(s3), Some(azure)) = (Cloud::moto().await, Cloud::azurite().await) else { return };
    let server = start().await;
    let user = User::owner(&server);
    let mut buckets = vec![];
    for (name, cloud, kind) in [("bucket-0", &s3, "S3"), ("bucket-1", &azure, "BLOB")] {
        cloud.make(name).await;
        let body = json!({ "name": name, "storageType": kind, "bucket": name,
            "endpoint": cloud.endpoint, "key": cloud.key, "secret": cloud.secret });
        buckets.push(user.create_bucket(body).await.expect("a bucket"));
    }
    let objects = Objects::over(&server, user, "MIRROR", buckets).await;
    check(&objects, run(&objects, script, Some("bucket-0")).await.held()).await;
    server.stop().await;
}

/// A server with a gateway, whose buckets may also be in front of a domain.
pub async fn start() -> Server {
    Server::start_with(|config| {
        config.egress.allow = vec!["127.0.0.0/8".parse().expect("a network")];
        config.s3_domain = Some("localhost".to_owned());
        config.s3_listen = S3Listen(Some(SocketAddr::from(([127, 0, 0, 1], 0))));
    })
    .await
}

/// What a script has said.
pub struct Said {
    pub output: String,
    /// Where it ran, and wrote what it has to say.
    folder: TempDir,
}

impl Said {
    /// What it says that every bucket holds.
    pub fn held(&self) -> Held {
        serde_json::from_str(&self.file()).expect("keys and digests")
    }

    pub fn file(&self) -> String {
        std::fs::read_to_string(written(self.folder.path())).expect("what was written")
    }
}

fn written(folder: &Path) -> PathBuf {
    folder.join(".written.json")
}

/// Runs a script to its end, which has to be a good one.
pub async fn run(objects: &Objects<'_>, script: &Script, bucket: Option<&str>) -> Said {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = gateway::key(objects.server, objects.repo, "ADMIN").await;
    let mut command = command(script, folder.path());
    command.envs(whereabouts(objects.server, &key)).envs(bucket.map(|name| ("TEST_BUCKET", name)));
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread");
    let output = output.expect("the client starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {words}", script.arguments);
    Said { output: String::from_utf8(output.stdout).expect("text"), folder }
}

fn command(script: &Script, folder: &Path) -> Command {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let program = match script.program {
        PYTHON => peers::folder().join(PYTHON),
        other => program(other),
    };
    let mut command = Command::new(program);
    // What is configured here is nobody's business there.
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    for (number, argument) in script.arguments.iter().enumerate() {
        match number {
            0 if !argument.starts_with('-') => command.arg(scripts.join(argument)),
            _ => command.arg(argument),
        };
    }
    command
        .current_dir(folder)
        .env("HOME", folder.join(".home"))
        .env("LANG", "C.UTF-8")
        .env("PYTHONPATH", scripts.join("python/s3"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TEST_PEER_MODULES", peers::folder().join("node"))
        .env("TEST_WRITTEN", written(folder));
    command
}

/// What clients of S3 read by themselves. None tries again: that would hide what went wrong.
fn whereabouts(server: &Server, key: &Key) -> [(&'static str, String); 7] {
    [
        ("AWS_ENDPOINT_URL", format!("http://{}", server.s3_address())),
        ("AWS_ACCESS_KEY_ID", key.access.clone()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.clone()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_MAX_ATTEMPTS", "1".to_owned()),
    ]
}

/// Holds what has to be there against every bucket itself.
pub async fn check(objects: &Objects<'_>, expected: Held) {
    objects.until_alike().await;
    for bucket in 0..objects.buckets.len() {
        let found = held(objects, bucket).await;
        let missing: Vec<_> =
            expected.iter().filter(|(key, _)| !found.contains_key(*key)).collect();
        let more: Vec<_> = found.keys().filter(|key| !expected.contains_key(*key)).collect();
        assert!(missing.is_empty() && more.is_empty(), "{bucket}: {missing:?} {more:?}");
        assert_eq!(found, expected, "contents of bucket {bucket}");
    }
}

async fn held(objects: &Objects<'_>, bucket: usize) -> Held {
    let (_, space) = objects.space().await;
    let member = space.member(objects.buckets[bucket].into()).expect("a member");
    let driver = member.driver(objects.services()).await.expect("a driver");
    let mut held = Held::new();
    loop {
        let last = held.last_key_value().map(|(key, _)| key.as_str());
        let page = driver.list("", last, PAGE_KEYS).await.expect("a list");
        for object in &page {
            let fetched = driver.get(&object.key, None).await.expect("an object");
            let mut digest = Context::new(&SHA256);
            let mut body = fetched.body;
            while let Some(piece) = body.try_next().await.expect("its content") {
                digest.update(&piece);
            }
            held.insert(object.key.clone(), hex(digest.finish().as_ref()));
        }
        if page.len() < PAGE_KEYS {
            return held;
        }
    }
}

//! Servers that stand for the clouds: children on a free port of loopback, gone when dropped.

use std::io::{BufRead, BufReader, PipeReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use repoplane::backend::buckets::Target;
use repoplane::model::bucket::{Place, StorageType};
use repoplane::model::id::WorkspaceId;
use reqwest::{Method, Url};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::peers;
use super::service_account::ServiceAccount;

/// The state of a socket that connections can be made to, in Linux's table of them.
const LISTENING: &str = "0A";
/// How long a server may take to start.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// What azurite has for its one account; it is the same everywhere.
const AZURITE_ACCOUNT: &str = "devstoreaccount1";
const AZURITE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

pub struct Cloud {
    pub storage_type: StorageType,
    pub endpoint: String,
    pub key: String,
    pub secret: String,
    _process: Process,
}

impl Cloud {
    /// S3 that takes any key of an object, and any credential.
    pub async fn moto() -> Option<Self> {
        let python = "python/bin/python";
        peers::installed(&[python, "python/bin/moto_server"]).then_some(())?;
        let arguments = ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"];
        let process = Process::start(&peers::folder().join(python), &arguments).await;
        Some(Self::s3(process))
    }

    /// S3 that checks signatures, and keeps objects as files under their keys.
    pub async fn rclone() -> Option<Self> {
        let program = "python/bin/rclone";
        peers::installed(&[program]).then_some(())?;
        let arguments = ["serve", "s3", "--config=/dev/null", "--addr=127.0.0.1:0"];
        let more = ["--auth-key=test-key,test-secret", "--vfs-cache-mode=off", "."];
        let program = peers::folder().join(program);
        Some(Self::s3(Process::start(&program, &[&arguments[..], &more].concat()).await))
    }

    /// Azure Blob Storage.
    pub async fn azurite() -> Option<Self> {
        let script = "node/node_modules/azurite/dist/src/blob/main.js";
        peers::installed(&[script]).then_some(())?;
        let script = peers::folder().join(script).display().to_string();
        let arguments = [&script, "--blobHost=127.0.0.1", "--blobPort=0", "--inMemoryPersistence"];
        let more = ["--skipApiVersionCheck", "--disableTelemetry"];
        let process = Process::start("node".as_ref(), &[&arguments[..], &more].concat()).await;
        Some(Self {
            storage_type: StorageType::Blob,
            endpoint: format!("{}/{AZURITE_ACCOUNT}", process.url),
            key: AZURITE_ACCOUNT.to_owned(),
            secret: AZURITE_KEY.to_owned(),
            _process: process,
        })
    }

    /// Google Cloud Storage, which lets everybody in; tokens come from `account`.
    pub async fn fake_gcs() -> Option<Self> {
        let program = "python/bin/fake-gcs-server";
        peers::installed(&[program]).then_some(())?;
        let arguments = ["-scheme=http", "-host=127.0.0.1", "-port=0", "-backend=memory"];
        let mut process = Process::start(&peers::folder().join(program), &arguments).await;
        // It says the port that it was told.
        process.url = format!("http://127.0.0.1:{}", listening_port(process.child.id()));
        let account = ServiceAccount::start(3_600).await;
        Some(Self {
            storage_type: StorageType::Gcs,
            endpoint: process.url.clone(),
            key: String::new(),
            secret: account.key(),
            _process: process,
        })
    }

    fn s3(process: Process) -> Self {
        Self {
            storage_type: StorageType::S3,
            endpoint: process.url.clone(),
            key: "test-key".to_owned(),
            secret: "test-secret".to_owned(),
            _process: process,
        }
    }

    pub fn target(&self, bucket: &str) -> Target {
        Target {
            workspace: WorkspaceId::new(),
            place: Place {
                storage_type: self.storage_type,
                bucket: bucket.to_owned(),
                endpoint: Some(self.endpoint.clone()),
                region: None,
                key: Some(self.key.clone()),
            },
            secret: Some(self.secret.clone().into()),
        }
    }

    pub async fn make(&self, bucket: &str) {
        if self.storage_type == StorageType::S3 {
            let (bucket, credentials) = self.s3_bucket(bucket);
            let url = bucket.create_bucket(&credentials).sign(TTL);
            return done(reqwest::Client::new().put(url).header("content-length", 0)).await;
        }
        if self.storage_type == StorageType::Gcs {
            let url = format!("{}/storage/v1/b", self.endpoint);
            let body = serde_json::json!({"name": bucket});
            return done(reqwest::Client::new().post(url).json(&body)).await;
        }
        let url = Url::parse(&format!("{}/{bucket}?restype=container", self.endpoint));
        self.azure_put(url.expect("a URL"), String::new()).await;
    }

    pub async fn put(&self, bucket: &str, key: &str, content: &str) {
        if self.storage_type == StorageType::S3 {
            let (bucket, credentials) = self.s3_bucket(bucket);
            let url = bucket.put_object(Some(&credentials), key).sign(TTL);
            return done(
                reqwest::Client::new()
                    .put(url)
                    .header("content-length", content.len())
                    .body(content.to_owned()),
            )
            .await;
        }
        if self.storage_type == StorageType::Gcs {
            let url = format!("{}/upload/storage/v1/b/{bucket}/o", self.endpoint);
            let query = [("uploadType", "media"), ("name", key)];
            let request = reqwest::Client::new().post(url).query(&query);
            return done(request.body(content.to_owned())).await;
        }
        let mut url = Url::parse(&format!("{}/{bucket}", self.endpoint)).expect("a URL");
        url.path_segments_mut().expect("a path").extend(key.split('/'));
        self.azure_put(url, content.to_owned()).await;
    }

    /// The names of all that Google keeps, objects or not.
    pub async fn names(&self, bucket: &str) -> Vec<String> {
        let url = format!("{}/storage/v1/b/{bucket}/o", self.endpoint);
        let answer = reqwest::get(url).await.expect("answered");
        let list: serde_json::Value = answer.json().await.expect("a list");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn s3_bucket(&self, name: &str) -> (Bucket, Credentials) {
        let url = Url::parse(&self.endpoint).expect("a URL");
        let bucket = Bucket::new(url, UrlStyle::Path, name.to_owned(), "us-east-1");
        (bucket.expect("a bucket"), Credentials::new(&self.key, &self.secret))
    }

    async fn azure_put(&self, url: Url, content: String) {
        let mut signed = HttpRequest::new(HttpRequestBody::empty());
        *signed.method_mut() = Method::PUT;
        *signed.uri_mut() = url.as_str().parse().expect("a URL");
        let headers = signed.headers_mut();
        headers.insert("content-length", content.len().into());
        headers.insert("x-ms-blob-type", "BlockBlob".parse().expect("a value"));
        let key = AzureAccessKey::try_new(&self.secret).expect("a key");
        let credential = AzureCredential::AccessKey(key);
        let authorizer = AzureAuthorizer::new(&credential, &self.key);
        authorizer.try_authorize(&mut signed).expect("a signature");
        let request = reqwest::Client::new().put(url).headers(signed.headers().clone());
        done(request.body(content)).await;
    }
}

/// How long a signed request is good for.
const TTL: Duration = Duration::from_secs(60);

async fn done(request: reqwest::RequestBuilder) {
    let answer = request.send().await.expect("answered");
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.expect("text"));
}

/// The one port that a child listens on, as Linux knows it.
fn listening_port(process: u32) -> u16 {
    let folder = Path::new("/proc").join(process.to_string());
    let open = std::fs::read_dir(folder.join("fd")).expect("its open files");
    let sockets: Vec<String> = open
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
        .filter_map(|link| {
            Some(link.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned())
        })
        .collect();
    let table = std::fs::read_to_string(folder.join("net/tcp")).expect("its sockets");
    let port = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, LISTENING, ..] = fields[..] else { return None };
        let mine = sockets.iter().any(|socket| fields.get(9) == Some(&socket.as_str()));
        let port = local.split_once(':').filter(|_| mine)?.1;
        u16::from_str_radix(port, 16).ok()
    });
    port.expect("a port that it listens on")
}

/// A child that says where it listens, on a line of its own.
struct Process {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Process {
    async fn start(program: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (said, says) = std::io::pipe().expect("a pipe");
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(says.try_clone().expect("a pipe"))
            .stderr(says)
            .spawn()
            .expect("the peer starts");
        let (found, url) = oneshot::channel();
        std::thread::spawn(move || listen(said, found));
        let url = tokio::time::timeout(START_DEADLINE, url).await;
        let url = url.expect("the peer listens in time").expect("the peer says where it listens");
        Self { child, url, _folder: folder }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the URL in what a child says, and lets it talk on.
fn listen(said: PipeReader, found: oneshot::Sender<String>) {
    let mut found = Some(found);
    for line in BufReader::new(said).lines().map_while(Result::ok) {
        let Some((_, rest)) = line.split_once("http://127.0.0.1:") else { continue };
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if let Some(found) = found.take() {
            // Nobody waits any more after the deadline.
            let _ = found.send(format!("http://127.0.0.1:{port}"));
        }
    }
}

//! Runs the binary in a folder of its own, with nothing of this process's environment.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use repoplane_client::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A command that takes longer waits for something that it should not wait for.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A folder to run the binary in; its data goes to `data` in it.
pub struct Place {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What a command that ended left behind.
#[derive(Debug)]
pub struct Ended {
    pub success: bool,
    pub out: String,
    pub err: String,
}

/// A server of its own process.
pub struct Serving {
    child: Child,
    pub url: String,
    /// Of the S3 gateway.
    pub s3_url: String,
    out: Lines<BufReader<ChildStdout>>,
    log: Arc<Mutex<Vec<String>>>,
    logged: tokio::task::JoinHandle<()>,
}

/// A server, and the owner's token in the environment of the commands.
pub async fn started() -> (Place, Serving) {
    let mut place = Place::new();
    let server = place.serve().await;
    let token = place.done(&["token", "create"]).await;
    place.set("REPOPLANE_URL", &server.url);
    place.set("REPOPLANE_TOKEN", token);
    (place, server)
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("temporary folder"), variables: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// From here on, the binary finds this variable.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.unset(name);
        self.variables.push((name, value.into()));
    }

    pub fn unset(&mut self, name: &'static str) {
        self.variables.retain(|(known, _)| *known != name);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // The tests are in `target/PROFILE/deps`, the binary is beside that folder.
        let tests = std::env::current_exe().expect("the tests' own path");
        let profile = tests.parent().and_then(Path::parent).expect("a profile folder");
        let mut command = Command::new(profile.join("repoplane"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end, which must come.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.fed(arguments, "").await
    }

    /// Begins a command, interrupts it as Ctrl-C does once it has said something and is `ready`, and
    /// waits for its end.
    pub async fn interrupted(&self, arguments: &[&str], ready: impl Future<Output = ()>) -> Ended {
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary is built");
        let mut lines = BufReader::new(child.stderr.take().expect("its errors"));
        let mut err = String::new();
        lines.read_line(&mut err).await.expect("UTF-8");
        let ready = tokio::time::timeout(COMMAND_TIMEOUT, ready).await;
        assert!(ready.is_ok(), "{arguments:?}: {err}");
        let id = child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().await.expect("kill");
        assert!(status.success());
        let reads = lines.read_to_string(&mut err);
        let (ended, read) = tokio::join!(ended(child, arguments), reads);
        read.expect("UTF-8");
        Ended { err, ..ended }
    }

    /// Runs a command that finds `input` on its standard input.
    pub async fn fed(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary is built");
        let mut stdin = child.stdin.take().expect("input");
        stdin.write_all(input.as_bytes()).await.expect("it reads its input");
        drop(stdin);
        ended(child, arguments).await
    }

    /// Runs a command on the data folder that must succeed; what it printed.
    pub async fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(&[&["--data-dir", "data"], arguments].concat()).await;
        assert!(ended.success, "{arguments:?}: {}", ended.err);
        ended.out.trim_end().to_owned()
    }

    /// Runs a command that must fail; what it said.
    pub async fn refused(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments).await;
        assert!(!ended.success && ended.out.is_empty(), "{arguments:?}: {ended:?}");
        ended.err
    }

    /// Starts a server on a free port, and waits until it is ready.
    pub async fn serve(&self) -> Serving {
        let mut child = self
            .command(&[
                "serve",
                "--data-dir",
                "data",
                "--listen",
                "127.0.0.1:0",
                "--s3-listen",
                "127.0.0.1:0",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary is built");
        let out = BufReader::new(child.stdout.take().expect("output")).lines();
        let mut lines = BufReader::new(child.stderr.take().expect("log")).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (url, s3_url) = loop {
            let line = lines.next_line().await.expect("UTF-8").expect("a server that gets ready");
            let entry: Value = serde_json::from_str(&line).expect("a log line in JSON");
            log.lock().expect("no panic").push(line);
            if entry["message"] == "ready" {
                let url = |name: &str| entry[name].as_str().expect("URL").to_owned();
                break (url("url"), url("s3"));
            }
        };
        let kept = log.clone();
        let logged = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().expect("no panic").push(line);
            }
        });
        Serving { child, url, s3_url, out, log, logged }
    }
}

async fn ended(child: Child, arguments: &[&str]) -> Ended {
    let output = tokio::time::timeout(COMMAND_TIMEOUT, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} does not end"));
    let output = output.expect("its output");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    Ended { success: output.status.success(), out, err }
}

impl Serving {
    pub fn client(&self, token: &str) -> Client {
        Client::connect(&self.url, token).expect("the server's URL")
    }

    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("http")
    }

    /// What the first start prints, up to the call to try.
    pub async fn greeting(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.contains("curl ")) {
            lines.push(self.out.next_line().await.expect("UTF-8").expect("a greeting"));
        }
        lines
    }

    /// Asks the process to stop, as a service manager does.
    pub async fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill");
        assert!(status.success());
    }

    /// Waits for the end, which must be in order; what else was printed, and the log.
    pub async fn ended(mut self) -> (String, Vec<Value>) {
        let mut rest = String::new();
        while let Some(line) = self.out.next_line().await.expect("UTF-8") {
            rest += &line;
        }
        assert!(self.child.wait().await.expect("an end").success(), "the exit code is not 0");
        self.logged.await.expect("the log was read");
        let log = self.log.lock().expect("no panic");
        let entries = log.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (rest, entries)
    }

    pub async fn stop(self) -> (String, Vec<Value>) {
        self.terminate().await;
        self.ended().await
    }
}

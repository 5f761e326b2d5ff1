//! Git over HTTP beside nginx with `git http-backend` on the same repository, in the same run; and
//! the same change as one edit, the same files as one JSON answer. Both have put their packs
//! together before.
//!
//! `.ci/debian nginx-light fcgiwrap && cargo build --release && cargo bench --bench git`

mod load;

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use load::{Connection, Sample, Server, TOKEN, request};
use serde_json::{Value, json};

const FILES: usize = 10_000;
const CLONES: usize = 7;
const PUSHES: usize = 60;
const EDITS: usize = 300;
const WRITTEN_BYTES: usize = 2_048;
/// Files of one request while the repo is filled.
const FILL_FILES: usize = 500;
/// Pushes and edits that are not counted, before the others.
const WARM_UP: usize = 5;

#[tokio::main]
async fn main() {
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let id = fill(&mut connection).await;
    wait_for_the_base(&server, &id);
    let ours = format!("http://bench:{TOKEN}@{}/v1/repo/{id}.git", server.address);
    let scratch = load::scratch_folder();
    let work = scratch.path().join("work.git");
    git(scratch.path(), &["clone", "-q", "--bare", &ours, text(&work)]);
    let nginx = Nginx::start(scratch.path(), &work);
    let theirs = format!("http://{}/work.git", nginx.address);
    let both = [("repoplane", ours.as_str()), ("nginx", theirs.as_str())];

    for (name, options) in [("clone", &[][..]), ("clone, depth 1", &["--depth", "1"])] {
        let clone = |at: &str| {
            let target = scratch.path().join("clone");
            let arguments = [&["clone", "-q", "--bare"], options, &[at, text(&target)]].concat();
            let took = timed(|| git(scratch.path(), &arguments));
            std::fs::remove_dir_all(target).expect("a clone");
            took
        };
        report(name, &both, turns(CLONES, &both, |_, at| clone(at)));
    }

    let commits = commits(&work, WARM_UP + PUSHES);
    let pushed = turns(WARM_UP + PUSHES, &both, |turn, at| {
        let refspec = format!("{}:refs/heads/main", commits[turn]);
        timed(|| git(&work, &["push", "-q", at, &refspec]))
    });
    let push = report("push of a commit", &both, pushed.map(|all| all[WARM_UP..].to_vec()));

    let edits = edit(&mut connection, &id).await;
    println!("the same as an edit    repoplane {edits}");
    println!("  {:.1}x as fast as the push to repoplane", push[0] / edits.percentile_ms(50));
    println!("  {:.1}x as fast as the push to nginx", push[1] / edits.percentile_ms(50));

    let mut json = vec![];
    let mut archive = vec![];
    for _ in 0..CLONES {
        let started = Instant::now();
        let clone = request("GET", &format!("/v1/repo/{id}/clone"), "");
        assert_eq!(connection.send(&clone).await.0, 200);
        json.push(started.elapsed());
        archive.push(timed(|| git(&work, &["archive", "-o", "/dev/null", "--format=tar", "main"])));
    }
    let both = [("JSON", ""), ("git archive", "")];
    report("all files", &both, [json, archive]);
    println!("resident memory at the end: {:.1} MiB", server.rss_mib());
    server.stop();
}

/// Lets both take turns.
fn turns(
    count: usize,
    both: &[(&str, &str); 2],
    mut run: impl FnMut(usize, &str) -> Duration,
) -> [Vec<Duration>; 2] {
    let mut taken = [vec![], vec![]];
    for turn in 0..count {
        for (taken, (_, at)) in taken.iter_mut().zip(both) {
            taken.push(run(turn, at));
        }
    }
    taken
}

/// Prints both, and returns their medians in milliseconds.
fn report(name: &str, both: &[(&str, &str); 2], taken: [Vec<Duration>; 2]) -> [f64; 2] {
    let [ours, theirs] = taken.map(|taken| Sample::new(taken.clone(), taken.iter().sum()));
    println!("{name:22} {} {ours}", both[0].0);
    println!("{:22} {} {theirs}", "", both[1].0);
    let medians = [ours.percentile_ms(50), theirs.percentile_ms(50)];
    println!("  {:.2} of {}'s time", medians[0] / medians[1], both[1].0);
    medians
}

/// A repo of many files in directories three deep, five to a directory.
async fn fill(connection: &mut Connection) -> String {
    let made = connection.send(&request("POST", "/v1/repo", "{}")).await;
    let made: Value = serde_json::from_slice(made.1).expect("JSON");
    let id = made["repo_id"].as_str().expect("an id").to_owned();
    for first in (0..FILES).step_by(FILL_FILES) {
        let write = |n: usize| {
            let path = format!("src/m{}/d{}/f{n}.rs", n / 500, n / 5 % 100);
            json!({"type": "write", "filename": path, "content": source(n)})
        };
        let operations: Vec<Value> = (first..first + FILL_FILES).map(write).collect();
        update(connection, &id, operations).await;
    }
    id
}

/// About 2.4 KB that compress as sources do.
fn source(file: usize) -> String {
    const WORDS: [&str; 12] = [
        "let", "value", "= self", "match", "return", "config", "fn", "store", "index", "=> {", "}",
        "Result",
    ];
    let mut state = file as u64 + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let line = |next: &mut dyn FnMut() -> usize| {
        let (a, b, c, d) = (next(), next(), next(), next());
        format!("    {} {}_{:x} {}\n", WORDS[a % 12], WORDS[b % 12], c % 65_536, WORDS[d % 12])
    };
    (0..110).map(|_| line(&mut next)).collect()
}

/// The server's worker puts the packs of a repo together once they are large enough.
fn wait_for_the_base(server: &Server, id: &str) {
    let folder = server.folder.path().join("objects/source").join(id);
    let deadline = Instant::now() + Duration::from_secs(60);
    let has_base = || {
        let Ok(mut entries) = std::fs::read_dir(&folder) else { return false };
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".base.pack"))
        })
    };
    while !has_base() {
        assert!(Instant::now() < deadline, "no base pack");
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn update(connection: &mut Connection, id: &str, operations: Vec<Value>) {
    let body = json!({"source": {"type": "diff", "operations": operations}}).to_string();
    let path = format!("/v1/repo/{id}/update");
    assert_eq!(connection.send(&request("POST", &path, &body)).await.0, 200);
}

/// A new file, a rename and a deletion, as in [`commits`].
async fn edit(connection: &mut Connection, id: &str) -> Sample {
    let mut taken = vec![];
    for turn in 0..WARM_UP + EDITS {
        let at = PUSHES + WARM_UP + turn;
        let (new, moved, gone) = names(at);
        let content = content(at);
        let operations = vec![
            json!({"type": "write", "filename": new, "content": content}),
            json!({"type": "rename", "old_filename": moved, "new_filename": format!("{moved}.moved")}),
            json!({"type": "delete", "filename": gone}),
        ];
        let started = Instant::now();
        update(connection, id, operations).await;
        taken.push(started.elapsed());
    }
    let taken = taken[WARM_UP..].to_vec();
    Sample::new(taken.clone(), taken.iter().sum())
}

fn names(turn: usize) -> (String, String, String) {
    let path = |n: usize| format!("src/m{}/d{}/f{n}.rs", n / 500, n / 5 % 100);
    (format!("new/d{}/f{turn}.rs", turn % 10), path(2 * turn), path(2 * turn + 1))
}

fn content(turn: usize) -> String {
    let mut content = source(FILES + turn);
    content.truncate(WRITTEN_BYTES);
    content
}

/// A line of commits on top of `main`, each of three changes, oldest first.
fn commits(work: &Path, count: usize) -> Vec<String> {
    let mut stream = String::new();
    for turn in 0..count {
        let (new, moved, gone) = names(turn);
        let content = content(turn);
        let from = if turn == 0 { "from refs/heads/main^0\n" } else { "" };
        stream.push_str(&format!(
            "commit refs/heads/bench\ncommitter B <b@x> {} +0000\ndata 2\nx\n{from}\
             M 100644 inline {new}\ndata {}\n{content}\nR {moved} {moved}.moved\nD {gone}\n\n",
            1_700_000_000 + turn,
            content.len()
        ));
    }
    let mut child = command(work, &["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, stream.as_bytes()).expect("a pipe");
    drop(stdin);
    assert!(child.wait().expect("git ends").success());
    let listed = git(work, &["rev-list", "--reverse", "main..bench"]);
    listed.lines().map(str::to_owned).collect()
}

/// nginx in front of `git http-backend`, which serves a copy of a repository.
struct Nginx {
    children: Vec<Child>,
    address: SocketAddr,
}

impl Nginx {
    fn start(scratch: &Path, work: &Path) -> Self {
        let root = scratch.join("nginx");
        std::fs::create_dir(&root).expect("a folder");
        let repo = root.join("work.git");
        git(scratch, &["clone", "-q", "--mirror", text(work), text(&repo)]);
        git(&repo, &["config", "http.receivepack", "true"]);
        git(&repo, &["gc", "-q"]);
        let (address, socket) = (load::free_address(), root.join("fcgi.sock"));
        let backend = PathBuf::from(git(scratch, &["--exec-path"]).trim()).join("git-http-backend");
        let configuration = format!(
            "daemon off;\nworker_processes 2;\npid {root}/pid;\nerror_log {root}/error.log;\n\
             events {{}}\nhttp {{\naccess_log off;\nclient_max_body_size 0;\n\
             client_body_temp_path {root}/body;\nproxy_temp_path {root}/proxy;\n\
             fastcgi_temp_path {root}/fastcgi;\nuwsgi_temp_path {root}/uwsgi;\n\
             scgi_temp_path {root}/scgi;\n\
             server {{ listen {address}; location / {{\n\
             fastcgi_pass unix:{socket};\nfastcgi_request_buffering off;\nfastcgi_buffering off;\n\
             fastcgi_param SCRIPT_FILENAME {backend};\nfastcgi_param GIT_PROJECT_ROOT {root};\n\
             fastcgi_param GIT_HTTP_EXPORT_ALL 1;\nfastcgi_param PATH_INFO $uri;\n\
             fastcgi_param QUERY_STRING $query_string;\nfastcgi_param REQUEST_METHOD $request_method;\n\
             fastcgi_param CONTENT_TYPE $content_type;\nfastcgi_param CONTENT_LENGTH $content_length;\n\
             fastcgi_param REMOTE_USER bench;\nfastcgi_param GIT_PROTOCOL $http_git_protocol;\n}} }} }}\n",
            root = text(&root),
            socket = text(&socket),
            backend = text(&backend),
        );
        let file = root.join("nginx.conf");
        std::fs::write(&file, configuration).expect("a file");
        let fcgi = Command::new("/usr/sbin/fcgiwrap")
            .args(["-c", "2", "-s", &format!("unix:{}", text(&socket))])
            // Its workers would outlive it.
            .process_group(0)
            .env("GIT_CONFIG_COUNT", "1")
            .envs([("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*")])
            .spawn()
            .expect("fcgiwrap; run: .ci/debian nginx-light fcgiwrap");
        let nginx = Command::new("/usr/sbin/nginx")
            .args(["-c", text(&file), "-p", text(&root), "-e", text(&root.join("error.log"))])
            // Started by root, its workers must reach what root has made.
            .args(["-g", "user root;"])
            .process_group(0)
            .spawn()
            .expect("nginx; run: .ci/debian nginx-light fcgiwrap");
        load::wait_until_it_listens(address);
        Self { children: vec![fcgi, nginx], address }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        for child in &mut self.children {
            // With the workers that it has.
            let _ = Command::new("kill").args(["--", &format!("-{}", child.id())]).status();
            let _ = child.wait();
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .envs([("GIT_TERMINAL_PROMPT", "0"), ("HOME", "/nonexistent")])
        .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
        .args(arguments)
        .current_dir(folder);
    git
}

/// Runs git, which has to succeed; returns what it prints.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = command(folder, arguments).output().expect("git is installed");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

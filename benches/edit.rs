//! Durable three-operation edits over HTTP, beside `git fast-import` and git plumbing with
//! fsync on a clone of the same repository, in the same run.
//!
//! `cargo build --release && cargo bench --bench edit [-- CHECKOUT]`

mod load;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use load::sources::{checkout, fill, id_of, made_up, write};
use load::{Connection, Sample, Server, request};
use serde_json::json;

const EDITS: usize = 1_000;
const GIT_COMMITS: usize = 100;
const WRITTEN_BYTES: usize = 2_048;

#[tokio::main]
async fn main() {
    let server = Server::start();
    let mut connection = Connection::open(server.address).await;
    let mut p50 = Vec::new();
    for (name, files) in [
        ("26 files", made_up(26)),
        ("1,000 files", made_up(1_000)),
        ("10,000 files", made_up(10_000)),
        ("checkout", checkout(4_000)),
    ] {
        let id = fill(&mut connection, &files).await;
        let ours = edit(&mut connection, &id, "warm", EDITS / 10).await;
        println!("{name} ({})\n  warm-up                  {ours}", files.len());
        let ours = edit(&mut connection, &id, "one", EDITS).await;
        println!("  repoplane, 1 client      {ours}");
        let many = edit_together(&server, &id, 8).await;
        println!(
            "  repoplane, 8 clients     {many}   {:.2} of 1 client",
            many.per_second() / ours.per_second()
        );
        let import = fast_import(&files);
        println!(
            "  fast-import, fsync       {import}   we are {:.1}x",
            ours.per_second() / import.per_second()
        );
        let plumbing = plumbing(&files);
        println!(
            "  git plumbing, fsync      {plumbing}   we are {:.1}x",
            ours.per_second() / plumbing.per_second()
        );
        p50.push(ours.percentile_ms(50));
    }
    println!("p50 at 10,000 files / p50 at 26 files: {:.2}", p50[2] / p50[0]);
    println!("resident memory at the end: {:.1} MiB", server.rss_mib());
    server.stop();
}

/// Writes a new file, renames the one before, deletes the one before that.
async fn edit(connection: &mut Connection, id: &str, run: &str, count: usize) -> Sample {
    let path = format!("/v1/repo/{id}/update");
    let place = |n: usize| format!("src/m0/d0/{run}-{n}.rs");
    let prepare = json!({"source": {"type": "diff", "operations": [
        write(&place(0), "zero"), write(&format!("{}.old", place(0)), "zero"),
    ]}});
    id_of(connection.send(&request("POST", &path, &prepare.to_string())).await, 200);
    let bodies: Vec<Vec<u8>> = (1..=count)
        .map(|n| {
            let text = format!("// edit {n} of {run}\n").repeat(WRITTEN_BYTES / 20);
            let body = json!({"source": {"type": "diff", "operations": [
                {"type": "delete", "filename": format!("{}.old", place(n - 1))},
                write(&place(n), &text),
                {"type": "rename", "old_filename": place(n - 1), "new_filename": format!("{}.old", place(n))},
            ]}});
            request("POST", &path, &body.to_string())
        })
        .collect();
    let (started, mut latencies) = (Instant::now(), Vec::new());
    for body in bodies {
        let sent = Instant::now();
        let (status, answer) = connection.send(&body).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(answer));
        latencies.push(sent.elapsed());
    }
    Sample::new(latencies, started.elapsed())
}

async fn edit_together(server: &Server, id: &str, clients: usize) -> Sample {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let (address, id) = (server.address, id.to_owned());
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await;
                edit(&mut connection, &id, &format!("client{client}"), EDITS / 2).await
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a client").latencies().iter().copied());
    }
    Sample::new(all, started.elapsed())
}

fn git(repo: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(repo)
        .args(["-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync"])
        .args(arguments);
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.envs([
        ("GIT_AUTHOR_NAME", "b"),
        ("GIT_AUTHOR_EMAIL", "b@b"),
        ("GIT_COMMITTER_NAME", "b"),
        ("GIT_COMMITTER_EMAIL", "b@b"),
    ]);
    git
}

fn output(mut command: Command, input: &str) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git is installed");
    child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("git reads");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// One long-running fast-import, told to make each commit durable before it gets the next.
fn fast_import(files: &[(String, String)]) -> Sample {
    let folder = load::scratch_folder();
    let repo = folder.path();
    output(git(repo, &["init", "--quiet", "--bare", "-b", "main"]), "");
    let mut child = git(repo, &["fast-import", "--quiet", "--done"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut input = child.stdin.take().expect("stdin");
    let mut answers = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut commit = |text: &str| {
        let head = "commit refs/heads/main\ncommitter b <b@b> 1700000000 +0000\ndata 1\nx\n";
        write!(input, "{head}{text}\ncheckpoint\nprogress done\n").expect("git reads");
        input.flush().expect("git reads");
        answers.next().expect("an answer").expect("text");
    };
    let data =
        |name: &str, text: &str| format!("M 100644 inline {name}\ndata {}\n{text}\n", text.len());
    commit(&files.iter().map(|(name, text)| data(name, text)).collect::<String>());
    let place = |n: usize| format!("src/m0/d0/git-{n}.rs");
    commit(&(data(&place(0), "zero") + &data(&format!("{}.old", place(0)), "zero")));
    let (started, mut latencies) = (Instant::now(), Vec::new());
    for n in 1..=GIT_COMMITS {
        let text = format!("// edit {n} of git\n").repeat(WRITTEN_BYTES / 20);
        let (before, now) = (place(n - 1), place(n));
        let sent = Instant::now();
        commit(&format!("D {before}.old\n{}R {before} {now}.old\n", data(&now, &text)));
        latencies.push(sent.elapsed());
    }
    let wall = started.elapsed();
    writeln!(input, "done").expect("git reads");
    drop(input);
    assert!(child.wait().expect("git ends").success());
    Sample::new(latencies, wall)
}

/// What a script would do: hash-object, update-index, write-tree, commit-tree, update-ref.
fn plumbing(files: &[(String, String)]) -> Sample {
    let folder = load::scratch_folder();
    let repo = folder.path();
    output(git(repo, &["init", "--quiet", "-b", "main"]), "");
    let blob = |text: &str| output(git(repo, &["hash-object", "-w", "--stdin"]), text);
    for (name, text) in files {
        let path = repo.join(name);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(path, text).expect("file");
    }
    output(git(repo, &["-c", "core.fsync=none", "add", "--force", "."]), "");
    let mut head: Option<String> = None;
    let mut commit = |changes: &str| {
        output(git(repo, &["update-index", "--index-info"]), changes);
        let tree = output(git(repo, &["write-tree"]), "");
        let mut arguments = vec!["commit-tree", &tree, "-m", "x"];
        if let Some(head) = &head {
            arguments.extend(["-p", head]);
        }
        let new = output(git(repo, &arguments), "");
        output(git(repo, &["update-ref", "refs/heads/main", &new]), "");
        head = Some(new);
    };
    let zero = blob("zero");
    let place = |n: usize| format!("src/m0/d0/git-{n}.rs");
    commit(&format!("100644 {zero}\t{}\n100644 {zero}\t{}.old\n", place(0), place(0)));
    let mut last = zero;
    let none = "0".repeat(40);
    let (started, mut latencies) = (Instant::now(), Vec::<Duration>::new());
    for n in 1..=GIT_COMMITS / 4 {
        let text = format!("// edit {n} of git\n").repeat(WRITTEN_BYTES / 20);
        let (before, now) = (place(n - 1), place(n));
        let sent = Instant::now();
        let new = blob(&text);
        commit(&format!(
            "0 {none}\t{before}.old\n100644 {new}\t{now}\n0 {none}\t{before}\n100644 {last}\t{now}.old\n"
        ));
        latencies.push(sent.elapsed());
        last = new;
    }
    Sample::new(latencies, started.elapsed())
}

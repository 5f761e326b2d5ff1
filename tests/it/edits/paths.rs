//! Which names files may have. The client refuses many of them itself, so these requests are
//! sent as they are.

use repoplane_client::reqwest;
use serde_json::{Value, json};

use crate::support::repo::{Repo, delete, files, write};
use crate::support::{OWNER_TOKEN, Server};

/// Sends a body that the client would not let through.
pub async fn raw_update(server: &Server, repo: &Repo, body: &Value) -> (u16, Value) {
    let url = format!("{}/v1/repo/{}/update", server.url(), repo.id);
    let request = reqwest::Client::new().post(url).bearer_auth(OWNER_TOKEN).json(body);
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// As [`raw_update`], for one operation of a `diff`.
pub async fn raw_edit(server: &Server, repo: &Repo, operation: Value) -> (u16, Value) {
    let body = json!({"source": {"type": "diff", "operations": [operation]}});
    raw_update(server, repo, &body).await
}

/// Names that some system would take for another file, or that no clone should receive.
#[rustfmt::skip]
const HOSTILE: [&str; 62] = [
    "", ".", "..", "/", "/abs", "//", "///a", "a/", "a//b", "./a", "a/.", "a/./b", "../a", "a/..",
    "a/../b", "../../etc/passwd", "a/../../b", "..\\a", ".git", ".git/", ".git/config",
    ".git/hooks/post-checkout", "a/.git/config", "a/b/.git", ".GIT", ".Git/x", ".gIt/config",
    "a/.GIT/hooks/x", ".git.", ".git..", ".git ", ".git  .", ".git. .", ".git/./config", "git~1",
    "GIT~1", "Git~1/config", "a/git~1/x", ".git::$INDEX_ALLOCATION",
    ".git::$INDEX_ALLOCATION/config", ".git:x", ".git::$DATA", ".g\u{200c}it/config",
    "\u{200d}.git/config", ".gi\u{200e}t", ".git\u{200f}/x", ".gi\u{202a}t/x", ".\u{feff}git",
    ".g\u{206a}it", "a\0b", "\0", "a/\0/b", "a\nb", "a\rb", "\ta", "a\u{1b}[2Jb", "\u{7f}",
    "a\\b", "\\", "a\\.git\\config", "\\\\server\\share", "C:\\x",
];

/// [`HOSTILE`], and names beyond the limits.
fn hostile() -> Vec<String> {
    let long = [
        "x".repeat(256),
        format!("a/{}/b", "ü".repeat(128)),
        vec!["d"; 101].join("/"),
        vec!["y".repeat(200); 21].join("/"),
        "a/".repeat(10_000),
    ];
    HOSTILE.map(str::to_owned).into_iter().chain(long).collect()
}

#[tokio::test]
async fn hostile_names_are_refused_wherever_a_file_would_be_made() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let before = (repo.head().await, repo.files().await);
    assert!(hostile().len() >= 60);
    for name in hostile() {
        for operation in [
            json!({"type": "write", "filename": name, "content": "x"}),
            json!({"type": "rename", "old_filename": "a", "new_filename": name}),
        ] {
            let (status, body) = raw_edit(&server, &repo, operation).await;
            assert_eq!((status, &body["code"]), (422, &json!("validation_error")), "{name:?}");
            assert!(body["message"].as_str().is_some_and(|text| text.len() < 1_000), "{body}");
        }
        let file = json!({"filename": name, "content": "x"});
        let source = json!({"source": {"type": "files", "files": [file]}});
        assert_eq!(raw_update(&server, &repo, &source).await.0, 422, "{name:?}");
        let create = reqwest::Client::new().post(format!("{}/v1/repo", server.url()));
        let made = create.bearer_auth(OWNER_TOKEN).json(&source).send().await.expect("an answer");
        assert_eq!(made.status().as_u16(), 422, "{name:?}");
        // Nothing of that name is there to be deleted; whether that is said of the name or of
        // the file does not matter.
        let gone = json!({"type": "delete", "filename": name});
        assert!(matches!(raw_edit(&server, &repo, gone).await.0, 404 | 422), "{name:?}");
    }
    assert_eq!(before, (repo.head().await, repo.files().await));
    server.stop().await;
}

#[tokio::test]
async fn unusual_names_are_kept_as_they_are() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let names = [
        "a b",
        " lead",
        "trail ",
        "ü",
        "u\u{308}",
        "漢字/ファイル.txt",
        "🦀",
        "a?b",
        "a#b",
        "a%20b",
        "a%2Fb",
        "a&b=c",
        "a+b",
        "a;b",
        "a'b",
        "a\"b",
        "a*b",
        "a|b",
        "a<b>",
        "-rf",
        "--help",
        "a:b",
        "CON",
        "aux.rs",
        "nul",
        ".gitignore",
        ".gitmodules",
        ".gitattributes",
        "git",
        ".github/workflows/x.yml",
        "git~2",
        "...",
        "a...",
        "~",
        "$HOME",
        "README",
        "readme",
        "@{x}",
        "HEAD",
        "refs/heads/main",
        "{file_path}",
        "update",
        "100%",
    ];
    let longest = "x".repeat(255);
    let deepest = vec!["d"; 100].join("/");
    // 31 components of 127 bytes and a slash each, and one of 128: 4,096 bytes.
    let whole = format!("{}{}", format!("{}/", "w".repeat(127)).repeat(31), "w".repeat(128));
    let all = || names.into_iter().chain([longest.as_str(), &deepest, &whole]);
    for name in all() {
        repo.put(name, name).await.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
    }
    let expected: Vec<_> = all().map(|name| (name, name)).collect();
    assert_eq!(repo.files().await, files(&expected));
    for name in all() {
        assert_eq!(repo.read(name).await.expect(name), name.as_bytes());
    }
    assert_eq!(repo.changes(all().map(delete).collect()).await, all().collect::<Vec<_>>());
    assert_eq!(repo.files().await, files(&[]));
    server.stop().await;
}

#[tokio::test]
async fn slashes_of_a_path_arrive_raw_and_escaped() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    let http = reqwest::Client::new();
    let at = |path: &str| format!("{}/v1/repo/{}/file/{path}", server.url(), repo.id);
    for (index, (sent, stored)) in [
        ("src/main.py", "src/main.py"),
        ("src%2Flib.py", "src/lib.py"),
        ("a/b%2Fc/d", "a/b/c/d"),
        ("%61%20b/%C3%BC", "a b/ü"),
        ("a%3Fb%23c", "a?b#c"),
        ("a%252Fb", "a%2Fb"),
    ]
    .into_iter()
    .enumerate()
    {
        let content = index.to_string();
        let put = http.put(at(sent)).bearer_auth(OWNER_TOKEN).body(content.clone());
        let put = put.header("content-type", "application/octet-stream");
        assert_eq!(put.send().await.expect("an answer").status().as_u16(), 201, "{sent}");
        assert_eq!(repo.read(stored).await.expect(stored), content.as_bytes());
        let got = http.get(at(sent)).bearer_auth(OWNER_TOKEN).send().await.expect("an answer");
        assert_eq!(got.headers()["content-type"], "application/octet-stream");
        assert_eq!(got.text().await.expect("the file"), content);
        let gone = http.delete(at(sent)).bearer_auth(OWNER_TOKEN).send().await.expect("an answer");
        let gone: Value = gone.json().await.expect("JSON");
        assert_eq!(gone["changed_files"], json!([stored]));
    }
    for hostile in ["..%2Fx", "%2Fabs", "a%2F%2Fb", "a//b", ".git%2Fconfig", "a%00b", "a%5Cb"] {
        let put = http.put(at(hostile)).bearer_auth(OWNER_TOKEN).body("x");
        let put = put.header("content-type", "application/octet-stream");
        assert_eq!(put.send().await.expect("an answer").status().as_u16(), 422, "{hostile}");
    }
    assert_eq!(repo.files().await, files(&[]));
    server.stop().await;
}

#[tokio::test]
async fn letter_case_counts() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[]).await;
    repo.changes(vec![write("Readme", "1"), write("README", "2"), write("readme/x", "3")]).await;
    let expected = files(&[("README", "2"), ("Readme", "1"), ("readme/x", "3")]);
    assert_eq!(repo.files().await, expected);
    server.stop().await;
}

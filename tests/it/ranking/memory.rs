//! What indexes may take of a server's memory and time, and what is said when that is not enough.

use repoplane_client::Client;

use super::paths;
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

/// Of all indexes together; one takes half of it.
const BYTES_MAX: usize = 1024 * 1024;

async fn with_little_memory() -> Server {
    Server::start_with(|config| config.limits.index_mib = 1).await
}

/// A text with so many words that are in no other text; the first one of them is `word(from)`.
fn words(from: usize, count: usize) -> String {
    (from..from + count).map(|number| word(number) + "\n").collect()
}

fn word(number: usize) -> String {
    let letter = |place: u32| char::from(b'a' + (number / 26_usize.pow(place) % 26) as u8);
    (0..6).map(|place| [letter(place), 'q'].into_iter().collect::<String>()).collect()
}

/// A repo whose index takes a good quarter of the memory.
async fn quarter(client: &Client, number: usize) -> Repo {
    Repo::create(client, &[("f", &words(number * 100_000, 19_000))]).await
}

#[tokio::test]
async fn indexes_that_were_not_used_for_longest_go() {
    let server = with_little_memory().await;
    let (owner, indexes) = (server.owner(), &server.services().searches.indexes);
    let mut repos = Vec::new();
    for number in 0..5 {
        let repo = quarter(&owner, number).await;
        assert_eq!(paths(&repo, &word(number * 100_000)).await, ["f"]);
        assert!(indexes.bytes() <= BYTES_MAX, "{}", indexes.bytes());
        if number == 0 {
            // Three of them have room, and no four.
            let one = indexes.bytes();
            assert!(one > BYTES_MAX / 4 && one < BYTES_MAX / 3, "{one}");
        }
        repos.push(repo);
    }
    let kept = || repos.iter().map(|repo| indexes.count(repo.id.into())).collect::<Vec<_>>();
    assert_eq!(kept(), [0, 0, 1, 1, 1]);
    // What is gone is made again when it is needed; what was used meanwhile stays.
    assert_eq!(paths(&repos[2], &word(200_000)).await, ["f"]);
    assert_eq!(paths(&repos[0], &word(0)).await, ["f"]);
    assert_eq!(kept(), [1, 0, 1, 0, 1]);
    // Two indexes of one repo count as two, though they share what they know of the file.
    repos[0].changes(vec![write("g", "x")]).await;
    assert_eq!(paths(&repos[0], &word(0)).await, ["f"]);
    assert!(indexes.bytes() <= BYTES_MAX, "{}", indexes.bytes());
    assert_eq!(kept(), [2, 0, 1, 0, 0]);
    server.stop().await;
}

#[tokio::test]
async fn files_that_have_no_room_are_found_by_their_paths() {
    let server = with_little_memory().await;
    let (owner, indexes) = (server.owner(), &server.services().searches.indexes);
    let texts: Vec<_> = (0..3).map(|file| words(file * 100_000, 19_000)).collect();
    let files = [("alpha", &texts[0]), ("beta", &texts[1]), ("gamma", &texts[2])];
    let repo = Repo::create(&owner, &files.map(|(path, text)| (path, text.as_str()))).await;
    assert_eq!(paths(&repo, &word(0)).await, ["alpha"]);
    assert!(indexes.bytes() <= BYTES_MAX / 2, "{}", indexes.bytes());
    assert_eq!(indexes.count(repo.id.into()), 1);
    assert_eq!(paths(&repo, "gamma").await, ["gamma"]);
    // What is named exactly is looked for in the files themselves.
    assert_eq!(paths(&repo, &word(200_000)).await, ["gamma"]);
    server.stop().await;
}

/// The status, the seconds to wait if any, and the message of a search.
async fn asked(server: &Server, repo: &Repo) -> (u16, Option<String>, String) {
    let url = format!("{}/v1/repo/{}/files/search?query=alpha", server.url(), repo.id);
    let answer = reqwest::Client::new().get(url).bearer_auth(OWNER_TOKEN).send().await;
    let answer = answer.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let wait = headers.get("retry-after").map(|wait| wait.to_str().expect("text").to_owned());
    let body: serde_json::Value = answer.json().await.expect("JSON");
    (status, wait, body["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn who_comes_before_an_index_is_done_is_told_how_far_it_is() {
    let server = Server::start_with(|config| config.limits.index_seconds = 0).await;
    let files: Vec<_> =
        (0..300).map(|number| (format!("f{number}"), format!("alpha {number}\n"))).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let repo = Repo::create(&server.owner(), &files).await;
    for far in ["128 of 300", "256 of 300"] {
        let (status, wait, said) = asked(&server, &repo).await;
        assert_eq!((status, wait.as_deref()), (503, Some("1")), "{said}");
        assert!(said.contains(far) && said.contains("Try again in 1 s"), "{said}");
    }
    // Whoever comes again comes further.
    assert_eq!(asked(&server, &repo).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn who_waits_for_too_many_other_indexes_is_told_to_come_back() {
    let server = Server::start_with(|config| config.limits.index_seconds = 0).await;
    let indexes = &server.services().searches.indexes;
    let known = Repo::create(&server.owner(), &[("a", "alpha")]).await;
    let other = Repo::create(&server.owner(), &[("a", "alpha")]).await;
    assert_eq!(asked(&server, &known).await.0, 200);
    let turns = (indexes.turn().await, indexes.turn().await);
    assert!(turns.0.is_ok() && turns.1.is_ok());
    let (status, wait, said) = asked(&server, &other).await;
    assert_eq!((status, wait.as_deref()), (503, Some("1")), "{said}");
    assert!(said.contains("busy with other indexes"), "{said}");
    assert_eq!(asked(&server, &known).await.0, 200, "its index is there");
    drop(turns);
    assert_eq!(asked(&server, &other).await.0, 200);
    server.stop().await;
}

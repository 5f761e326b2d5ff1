//! The first start: one token, shown once or chosen by the operator.

use super::process::Place;

const CHOSEN: &str = "rlc-chosenchosenchosenchosenchosench";

#[tokio::test]
async fn the_first_start_prints_a_token_once_and_a_call_that_works_when_pasted() {
    let place = Place::new();
    let mut server = place.serve().await;
    let greeting = server.greeting().await;
    let said = greeting.join("\n");
    assert!(said.contains(&server.url) && said.contains(&format!("{}/docs", server.url)), "{said}");
    let token = said.split("rlc-").nth(1).and_then(|rest| rest.split_whitespace().next());
    let token = format!("rlc-{}", token.expect("a token"));
    let call = greeting.last().expect("the call").trim();
    let shell = tokio::process::Command::new("sh").args(["-c", call]).output().await.expect("sh");
    let answer: serde_json::Value = serde_json::from_slice(&shell.stdout).expect("JSON");
    assert!(answer["repo_id"].is_string(), "{answer}");
    let (_, log) = server.stop().await;
    assert!(!format!("{log:?}").contains(&token[8..]), "the log holds the token");

    let server = place.serve().await;
    server.client(&token).get_profile().send().await.expect("the token still works");
    let (out, _) = server.stop().await;
    assert_eq!(out, "", "the second start prints nothing");
}

#[tokio::test]
async fn the_operator_may_choose_the_first_token_by_variable_or_file() {
    for by_file in [false, true] {
        let mut place = Place::new();
        if by_file {
            std::fs::write(place.path().join("token"), format!("{CHOSEN}\n")).expect("token file");
            place.set("REPOPLANE_BOOTSTRAP_TOKEN_FILE", "token");
        } else {
            place.set("REPOPLANE_BOOTSTRAP_TOKEN", CHOSEN);
        }
        let mut server = place.serve().await;
        let greeting = server.greeting().await;
        assert!(!greeting.join("\n").contains(CHOSEN), "{greeting:?}");
        let call = greeting.last().expect("the call").trim();
        let mut shell = tokio::process::Command::new("sh");
        let shell = shell.args(["-c", call]).env("TOKEN", CHOSEN).output().await.expect("sh");
        assert!(String::from_utf8_lossy(&shell.stdout).contains("repo_id"), "{shell:?}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_bad_first_token_is_refused_and_leaves_nothing_half_made() {
    let mut place = Place::new();
    for token in [
        "secret",
        "rlc-short",
        "rlcr-chosenchosenchosenchosenchosenchos",
        "rlc-with spaces with spaces with spaces",
    ] {
        place.set("REPOPLANE_BOOTSTRAP_TOKEN", token);
        let said = place.refused(&["--data-dir", "data", "--listen", "127.0.0.1:0"]).await;
        assert!(said.contains("bootstrap token must be rlc- and at least 32"), "{said}");
        assert!(!said.contains(token), "the refused token is shown: {said}");
    }
    place.unset("REPOPLANE_BOOTSTRAP_TOKEN");
    let mut server = place.serve().await;
    assert!(server.greeting().await.join("\n").contains("rlc-"), "now it is the first start");
    server.stop().await;
}

#[tokio::test]
async fn a_start_that_finds_its_port_taken_makes_nothing() {
    let place = Place::new();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("address").to_string();
    let said = place.refused(&["--data-dir", "data", "--listen", &address]).await;
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
    assert!(!place.data().exists(), "the token would be lost");
    let mut server = place.serve().await;
    server.greeting().await;
    server.stop().await;
}

#[tokio::test]
async fn a_database_that_was_migrated_first_still_gets_its_owner() {
    let place = Place::new();
    place.done(&["migrate"]).await;
    let said = place.refused(&["--data-dir", "data", "token", "create"]).await;
    assert!(said.contains("There is no organisation yet"), "{said}");
    let mut server = place.serve().await;
    server.greeting().await;
    server.stop().await;
}

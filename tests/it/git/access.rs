//! Who may clone and who may push, and what the others are told.

use repoplane::service::tokens::Scope;
use repoplane_client::reqwest;

use super::stage::{Work, url, url_of};
use crate::isolation::caller::{Caller, Holds};
use crate::isolation::stage::{Stage, token};
use crate::support::repo::Repo;
use crate::support::{OWNER_TOKEN, Server};
use repoplane::model::access::Role;

/// What the door has to answer to a request that needs `needed`.
fn expected(caller: Caller, needed: Role) -> u16 {
    let held = match caller.holds() {
        // Git sends its tokens so.
        _ if caller == Caller::Malformed => return 401,
        Holds::Nothing => return 401,
        Holds::Account(role) | Holds::RepoToken(role) => role,
    };
    match held {
        None => 404,
        Some(role) if role < needed => 403,
        Some(_) => 200,
    }
}

#[tokio::test]
async fn every_kind_of_caller_gets_what_they_may_have() {
    let stage = Stage::start().await;
    let props = stage.prepare().await;
    let base = format!("{}/v1/repo/{}.git", stage.server.url(), props.targets.repo);
    let http = reqwest::Client::new();
    let mut matrix = 0;
    for caller in Caller::ALL {
        let credential = caller.credential(&stage, &props);
        for (service, needed) in
            [("git-upload-pack", Role::Read), ("git-receive-pack", Role::Write)]
        {
            let kind = format!("application/x-{service}-request");
            let requests = [
                http.get(format!("{base}/info/refs?service={service}")),
                http.post(format!("{base}/{service}")).header("content-type", kind).body("0000"),
            ];
            for request in requests {
                let request = match &credential {
                    None => request,
                    Some(value) => request.header("authorization", value),
                };
                let answer = request.send().await.expect("an answer");
                let status = answer.status().as_u16();
                assert_eq!(status, expected(caller, needed), "{caller:?} {service}");
                if status == 401 {
                    let how = &answer.headers()["www-authenticate"];
                    assert!(how.to_str().expect("text").starts_with("Basic "), "{how:?}");
                }
                matrix += 1;
            }
        }
    }
    assert_eq!(matrix, 56);
    stage.stop().await;
}

#[tokio::test]
async fn git_is_told_why() {
    let stage = Stage::start().await;
    let props = stage.prepare().await;
    let (base, repo) = (stage.server.url(), props.targets.repo);
    let at = |token: &str| url_of(&base, repo, token);
    let reader = Work::clone(&at(&stage.reader), &[]).await;
    reader.commit(&[("a", "a")]).await;
    let said = reader.push(&["main"]).await.refused();
    assert!(said.contains("remote: This needs the role WRITE") && said.contains("403"), "{said}");
    let (_, said) = Work::try_clone(&at(&stage.outsider), &[]).await;
    assert!(said.refused().contains("not found"));
    let (_, said) = Work::try_clone(&at("rlc-nobody"), &[]).await;
    assert!(said.refused().contains("Authentication failed"));
    let (_, said) = Work::try_clone(&format!("{base}/v1/repo/{repo}.git"), &[]).await;
    assert!(said.refused().contains("could not read Username"));
    // A repo token does what its user may, in its repo.
    let work = Work::clone(&at(&props.admin_repo_token), &[]).await;
    work.commit(&[("a", "a")]).await;
    work.push(&["main"]).await.well();
    let (_, said) = Work::try_clone(&at(&stage.repo_token_elsewhere), &[]).await;
    assert!(said.refused().contains("not found"));
    stage.stop().await;
}

#[tokio::test]
async fn a_token_is_the_password_of_any_user() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let base = format!("{}/v1/repo/{}.git/info/refs", server.url(), repo.id);
    let at = format!("{base}?service=git-upload-pack");
    let http = reqwest::Client::new();
    for user in ["token", "", "x-access-token", "ü", "a@b"] {
        let request = http.get(&at).basic_auth(user, Some(OWNER_TOKEN));
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), 200, "{user}");
    }
    for (value, expected) in [
        (format!("Bearer {OWNER_TOKEN}"), 200),
        (format!("bearer {OWNER_TOKEN}"), 200),
        ("Bearer".to_owned(), 401),
        ("Bearer ".to_owned(), 401),
        ("Basic".to_owned(), 401),
        ("Basic !!!".to_owned(), 401),
        // No colon, an empty password, no UTF-8.
        ("Basic dG9rZW4=".to_owned(), 401),
        ("Basic dG9rZW46".to_owned(), 401),
        ("Basic Of8=".to_owned(), 401),
        (format!("Digest {OWNER_TOKEN}"), 401),
        (OWNER_TOKEN.to_owned(), 401),
    ] {
        let request = http.get(&at).header("authorization", &value);
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), expected, "{value}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_ends_what_git_may_do() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let (id, secret) = token(&server, "owner@localhost", &Scope::default()).await;
    let work = Work::clone(&url_of(&server.url(), repo.id, &secret), &[]).await;
    work.commit(&[("b", "b")]).await;
    server.owner().revoke_token().id(id).send().await.expect("revoked");
    assert!(work.push(&["main"]).await.refused().contains("Authentication failed"));
    assert!(work.git(&["fetch"]).await.refused().contains("Authentication failed"));
    repo.delete().await.expect("deleted");
    let (_, said) = Work::try_clone(&url(&server, &repo), &[]).await;
    assert!(said.refused().contains("not found"), "a deleted repo");
    server.stop().await;
}

//! Subcommands, on a server that runs meanwhile.

use super::process::{Place, Serving};

async fn started() -> (Place, Serving) {
    let place = Place::new();
    let server = place.serve().await;
    (place, server)
}

async fn works(server: &Serving, token: &str) -> bool {
    server.client(token).get_profile().send().await.is_ok()
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked_while_the_server_runs() {
    let (place, server) = started().await;
    let token = place.done(&["token", "create", "--name", "ci", "--expires-in", "30"]).await;
    assert!(token.starts_with("rlc-") && works(&server, &token).await, "{token}");

    let list = place.done(&["token", "list"]).await;
    let line = list.lines().find(|line| line.ends_with("\tci")).expect("the new token's line");
    assert!(line.contains("\taccount\t20"), "it expires: {line}");
    assert!(list.lines().any(|line| line.ends_with("\tnever\tfirst token")), "{list}");
    assert!(!list.contains(&token[12..]), "the list holds a token");
    let id = line.split('\t').next().expect("id");
    place.done(&["token", "revoke", id]).await;
    assert!(!works(&server, &token).await, "revoked at once");
    let said = place.refused(&["--data-dir", "data", "token", "revoke", id]).await;
    assert!(said.contains("Token not found"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn a_repo_token_reaches_the_repo_it_names_and_must_name_one_there_is() {
    let (place, server) = started().await;
    let account = place.done(&["token", "create"]).await;
    let client = server.client(&account);
    let repo = client.create_source_repo().send().await.expect("repo").repo_id;
    let id = repo.to_string();
    let token = place.done(&["token", "create", "--repo", &id, "--repo", &id]).await;
    assert!(token.starts_with("rlcr-"), "{token}");
    server.client(&token).get_source_repo().repo_id(repo).send().await.expect("reached");
    assert!(!works(&server, &token).await, "a repo token reaches nothing else");

    let reader = place.done(&["token", "create", "--repo", &id, "--access", "read"]).await;
    let reader = server.client(&reader);
    reader.get_source_repo().repo_id(repo).send().await.expect("reads");
    reader.delete_source_repo().repo_id(repo).send().await.expect_err("and no more than that");

    let absent = uuid::Uuid::new_v4().to_string();
    let said = place.refused(&["--data-dir", "data", "token", "create", "--repo", &absent]).await;
    assert!(said.contains(&absent), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn users_and_organisations_are_made_and_users_deleted() {
    let (place, server) = started().await;
    let id = place.done(&["user", "create", "ada@x", "--org-role", "workspaces"]).await;
    assert!(place.done(&["user", "list"]).await.contains(&format!("{id}\tada@x\tWORKSPACES")));
    let said = place.refused(&["--data-dir", "data", "user", "create", "ada@x"]).await;
    assert!(said.contains("already"), "{said}");
    let token = place.done(&["token", "create", "--user", "ada@x"]).await;
    assert!(works(&server, &token).await);
    place.done(&["user", "delete", "ada@x"]).await;
    assert!(!works(&server, &token).await, "tokens go with their user");
    let said = place.refused(&["--data-dir", "data", "token", "create", "--user", "ada@x"]).await;
    assert!(said.contains("repoplane user list"), "{said}");

    let token = place.done(&["org", "create", "second", "--owner", "o@x"]).await;
    assert!(works(&server, &token).await, "{token}");
    assert_eq!(place.done(&["org", "list"]).await.lines().count(), 2);
    let second = place.done(&["user", "list", "--org", "second"]).await;
    assert!(second.ends_with("o@x\tOWNER"), "{second}");
    let said = place.refused(&["--data-dir", "data", "user", "list", "--org", "third"]).await;
    assert!(said.contains("repoplane org list"), "{said}");
    let said = place.refused(&["--data-dir", "data", "user", "create", "a<b>"]).await;
    assert!(said.contains("angle brackets"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn a_new_user_may_get_a_role_in_a_workspace() {
    let (place, server) = started().await;
    let owner = server.client(&place.done(&["token", "create"]).await);
    let list = owner.list_workspaces().send().await.expect("list").into_inner();
    let id = list.workspaces[0].id.to_string();
    place.done(&["user", "create", "r@x", "--workspace", &id, "--role", "read"]).await;
    let list = owner.list_workspaces().send().await.expect("list").into_inner();
    assert_eq!(list.workspaces[0].users.len(), 1);
    let said = place.refused(&["user", "create", "s@x", "--workspace", &id]).await;
    assert!(said.contains("--role"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn commands_make_no_database_where_there_is_none() {
    let place = Place::new();
    for command in [&["token", "create"][..], &["user", "list"], &["org", "create", "x"]] {
        let said = place.refused(&[&["--data-dir", "data"], command].concat()).await;
        assert!(said.contains("no database") && said.contains("--data-dir"), "{said}");
        assert!(!place.data().exists(), "{command:?} made something");
    }
}

#[tokio::test]
async fn the_healthcheck_says_by_its_exit_code_whether_the_server_is_ready() {
    let (place, server) = started().await;
    assert_eq!(
        place.done(&["healthcheck", "--url", &server.url]).await,
        format!("{} is ready", server.url)
    );
    assert!(place.done(&["--listen", server.address(), "healthcheck"]).await.contains("ready"));
    std::fs::remove_dir_all(place.data().join("objects")).expect("damage");
    std::fs::write(place.data().join("objects"), "no folder").expect("damage");
    let said = place.refused(&["healthcheck", "--url", &server.url]).await;
    assert!(said.contains("database ok, storage failed"), "{said}");
    let url = server.url.clone();
    server.stop().await;
    let said = place.refused(&["healthcheck", "--url", &url]).await;
    assert!(said.contains("is not ready") && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn the_documents_and_completions_are_printed_without_a_server() {
    let place = Place::new();
    let contract = place.run(&["openapi"]).await;
    assert_eq!(contract.out, repoplane::api::docs::CONTRACT);
    let code = place.run(&["openapi", "--code"]).await;
    let code: serde_json::Value = serde_json::from_str(&code.out).expect("JSON");
    assert!(code["paths"]["/workspace"].is_object());
    let completions = place.run(&["completions", "bash"]).await;
    assert!(completions.out.contains("complete -F _repoplane"), "{}", completions.out);
    assert!(!place.path().read_dir().expect("folder").any(|_| true), "nothing was made");
}

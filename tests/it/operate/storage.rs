//! `repoplane storage` on a server that runs, with buckets on its disk.

use futures::TryStreamExt;
use repoplane_client::types::{
    AccessKeyListResponse, AccessType, BucketListResponse, StorageRepoListResponse,
};

use super::process::{Place, started};
use crate::support::answer::refusal;

/// Runs `repoplane storage` with the words of `line`; what it printed.
async fn storage(place: &Place, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    place.done(&[&["storage"], &words[..]].concat()).await
}

/// Runs `repoplane storage` with the words of `line`, which must be refused; what it said.
async fn refused(place: &Place, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    place.refused(&[&["storage"], &words[..]].concat()).await
}

/// The cells of the line of a table that has `name` in its second column.
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.find(|row| row.get(1) == Some(&name)).unwrap_or_else(|| panic!("no {name} in\n{table}"))
}

#[tokio::test]
async fn buckets_are_made_shown_changed_and_forgotten() {
    let (place, server) = started().await;
    let id = storage(&place, "bucket create first --disk one").await;
    let table = storage(&place, "bucket list").await;
    assert_eq!(row(&table, "first"), [&id, "first", "S3", "one", "file:one", "ONLINE", "-"]);
    storage(&place, "bucket update first --name renamed --region eu-west-1").await;
    let shown = storage(&place, "bucket show renamed").await;
    assert!(shown.contains(&id) && shown.contains("eu-west-1"), "{shown}");
    assert_eq!(storage(&place, &format!("bucket show {id}")).await, shown);
    assert!(storage(&place, "bucket validate renamed").await.contains("can be used"));
    assert!(storage(&place, "bucket status renamed").await.contains("ONLINE"));
    let said = refused(&place, "bucket validate renamed --endpoint ftp://x").await;
    assert!(said.starts_with("error: "), "{said}");

    storage(&place, "bucket delete renamed").await;
    let said = refused(&place, "bucket show renamed").await;
    assert!(said.contains(r#"no bucket is called "renamed""#), "{said}");
    assert_eq!(storage(&place, "bucket list").await.lines().count(), 1, "the header is left");
    server.stop().await;
}

#[tokio::test]
async fn buckets_are_linked_made_primary_and_unlinked() {
    let (place, server) = started().await;
    storage(&place, "bucket create a --disk a").await;
    storage(&place, "bucket create b --disk b").await;
    let id = storage(&place, "repo create photos --mode mirror --primary a:in/a").await;
    let members = async || {
        let shown = storage(&place, &format!("repo show {id}")).await;
        let rows = shown.lines().filter(|line| line.starts_with("a ") || line.starts_with("b "));
        rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(members().await, ["a in/a yes ONLINE"]);
    storage(&place, "repo link photos b --folder in/b").await;
    assert_eq!(members().await, ["a in/a yes ONLINE", "b in/b no ONLINE"]);
    storage(&place, "repo link photos b --primary").await;
    assert_eq!(members().await, ["a in/a no ONLINE", "b in/b yes ONLINE"]);
    let table = storage(&place, "repo list").await;
    let line = table.lines().find(|line| line.contains("photos")).expect("photos");
    assert!(
        line.contains("MIRROR") && line.contains("a, b") && line.ends_with("enabled"),
        "{line}"
    );

    let said = refused(&place, "bucket delete a").await;
    let held = server.client(&place.done(&["token", "create"]).await);
    let a = storage(&place, "bucket list").await;
    let a = row(&a, "a")[0].parse::<uuid::Uuid>().expect("id");
    let (status, message) = refusal(held.delete_bucket().bucket_id(a).send().await);
    assert_eq!((status, said), (403, format!("error: {message}\n")));

    let said = refused(&place, "repo unlink photos b").await;
    assert!(said.contains("(MIRROR_MASTER_UNIT_MISSING)"), "{said}");
    storage(&place, "repo unlink photos a").await;
    assert_eq!(members().await, ["b in/b yes ONLINE"]);
    let said = refused(&place, "repo unlink photos a").await;
    assert!(said.contains("holds no bucket"), "{said}");
    storage(&place, "bucket delete a").await;
    storage(&place, "repo delete photos").await;
    assert_eq!(storage(&place, "repo list").await.lines().count(), 1, "the header is left");
    storage(&place, "bucket show b").await;
    server.stop().await;
}

#[tokio::test]
async fn a_storage_repo_is_checked_and_changed() {
    let (place, server) = started().await;
    storage(&place, "bucket create a --disk a").await;
    let said = refused(&place, "repo validate --mode mirror --bucket a").await;
    assert!(said.contains("(MIRROR_MASTER_UNIT_MISSING)"), "{said}");
    assert!(storage(&place, "repo validate --mode mirror --primary a").await.contains("may be"));
    storage(&place, "repo create photos --mode normal --bucket a").await;
    assert!(storage(&place, "repo validate photos").await.contains("may be"));
    refused(&place, "repo validate photos --mode mirror").await;
    let verdict =
        place.run(&["storage", "--json", "repo", "validate", "photos", "--mode", "mirror"]);
    let verdict = verdict.await;
    assert!(!verdict.success && verdict.out.contains("\"success\": false"), "{verdict:?}");

    storage(&place, "repo update photos --mode mirror --primary a:there --disable").await;
    let shown = storage(&place, "repo show photos").await;
    for part in ["MIRROR", "disabled", "there"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    storage(&place, "repo update photos --name pictures --enable").await;
    let shown = storage(&place, "repo show pictures").await;
    assert!(shown.contains("enabled") && shown.contains("there"), "the buckets stay:\n{shown}");
    let said = refused(&place, "repo update pictures").await;
    assert!(said.contains("nothing to change"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn access_keys_are_made_changed_and_deleted_and_the_secret_is_shown_once() {
    let (place, server) = started().await;
    storage(&place, "repo create photos --mode normal").await;
    let made = place.run(&["storage", "key", "create", "photos", "--access", "write"]).await;
    let secret = made.out.trim_end();
    assert!(made.success && secret.len() > 20 && secret.lines().count() == 1, "{made:?}");
    let list = storage(&place, "key list photos --json").await;
    let list: AccessKeyListResponse = serde_json::from_str(&list).expect("access keys");
    let [made_key] = &list.keys[..] else { panic!("{list:?}") };
    let (id, key) = (made_key.id.to_string(), &made_key.key);
    assert_eq!(made_key.access_type, AccessType::Write);
    assert!(made.err.contains(key) && !made.err.contains(secret), "{made:?}");

    storage(&place, &format!("key update photos {key} --access read")).await;
    let update = ["storage", "key", "update", "photos", "command line", "--name", "reader"];
    place.done(&update).await;
    let table = storage(&place, "key list photos").await;
    assert_eq!(row(&table, "reader")[..4], [&id, "reader", "READ", key]);
    assert!(storage(&place, "repo show photos").await.contains(key));
    storage(&place, "key delete photos reader").await;
    let said = refused(&place, "key delete photos reader").await;
    assert!(said.contains("repoplane storage key list photos"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn lists_are_what_the_server_answers_and_a_workspace_narrows_them() {
    let (place, server) = started().await;
    let owner = server.client(&place.done(&["token", "create"]).await);
    let body = repoplane_client::types::CreateWorkspaceRequest::builder().name("Other");
    owner.create_workspace().body(body).send().await.expect("workspace");
    storage(&place, "bucket create a --disk a").await;
    storage(&place, "bucket create b --disk b --workspace Other").await;
    storage(&place, "repo create same --mode normal").await;
    storage(&place, "repo create same --mode normal --workspace Other").await;

    let printed = storage(&place, "bucket list --json").await;
    let printed: BucketListResponse = serde_json::from_str(&printed).expect("buckets");
    let answered = owner.list_buckets().send().await.expect("list").into_inner();
    assert_eq!(format!("{printed:?}"), format!("{answered:?}"));
    let printed = storage(&place, "--json repo list --workspace Other").await;
    let printed: StorageRepoListResponse = serde_json::from_str(&printed).expect("repos");
    assert_eq!(printed.repos.len(), 1);
    let table = storage(&place, "bucket list --workspace Other").await;
    assert_eq!((table.lines().count(), row(&table, "b")[1]), (2, "b"));

    let one = std::num::NonZeroU32::MIN;
    let buckets = owner.list_buckets().limit(one).stream().try_collect::<Vec<_>>().await;
    assert_eq!(format!("{:?}", buckets.expect("all pages")), format!("{:?}", answered.buckets));
    let repos = owner.list_storage_repos().limit(one).stream().try_collect::<Vec<_>>().await;
    assert_eq!(repos.expect("all pages").len(), 2);

    let said = refused(&place, "repo delete same").await;
    assert!(said.contains("more than one") && said.contains(&printed.repos[0].id.to_string()));
    storage(&place, &format!("repo delete {}", printed.repos[0].id)).await;
    storage(&place, "repo delete same").await;
    server.stop().await;
}

#[tokio::test]
async fn who_asks_and_where_must_be_right() {
    let (mut place, server) = started().await;
    let url = server.url.clone();
    place.set("REPOPLANE_TOKEN", format!("rlc-{}", "x".repeat(32)));
    let said = refused(&place, "bucket list").await;
    assert!(said.contains("(NO_AUTH_USER)"), "{said}");
    let token = place.done(&["token", "create"]).await;
    std::fs::write(place.path().join("token"), token + "\n").expect("file");
    storage(&place, "bucket list --token-file token").await;
    place.unset("REPOPLANE_TOKEN");
    let said = refused(&place, "bucket list").await;
    assert!(said.contains("REPOPLANE_TOKEN") && said.contains("--token-file"), "{said}");

    place.set("REPOPLANE_TOKEN_FILE", "token");
    place.unset("REPOPLANE_URL");
    let listen = ["storage", "bucket", "list", "--listen", server.address()];
    assert!(place.run(&listen).await.success, "the configured address is the default");
    let said = refused(&place, "bucket list --url not-a-url").await;
    assert!(said.contains("the server's URL"), "{said}");
    server.stop().await;
    let said = refused(&place, &format!("bucket list --url {url}")).await;
    assert!(said.contains(&format!("no answer from {url}")) && said.contains("--url"), "{said}");
}

//! Single fields of storage repos and buckets: what they take, and what they do.

use repoplane_client::types;
use serde_json::{Value, json};

use super::stage::{User, abroad, link, local, wanted, with};
use crate::support::Server;

#[tokio::test]
async fn a_folder_is_kept_without_the_slashes_at_its_ends() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let a = user.bucket("a").await;
    let id = user.repo("r", "NORMAL", json!([])).await;
    let longest = "x".repeat(512);
    let put = async |folder: &str| {
        let body = wanted("r", "NORMAL", json!([link(a, folder, false)]));
        user.send("PUT", &format!("/repo/{id}"), body).await
    };
    for (sent, kept) in [
        ("", ""),
        ("/", ""),
        ("a", "a"),
        ("/data/primary", "data/primary"),
        ("data/primary//", "data/primary"),
        ("...", "..."),
        ("with space/é", "with space/é"),
        (&longest, &longest),
    ] {
        let (status, answer) = put(sent).await;
        assert_eq!(status, 200, "{sent:?}: {answer}");
        assert_eq!(user.read_repo(id).await.expect("read").buckets[0].folder, kept, "{sent:?}");
    }
    let before = user.state().await;
    let too_long = "x".repeat(513);
    for sent in ["a//b", ".", "..", "a/../b", "./a", "a/..", "a\0", "a\nb", "\t", &too_long] {
        let (status, answer) = put(sent).await;
        assert_eq!(status, 400, "{sent:?}: {answer}");
        assert!(answer["message"].as_str().expect("text").contains("folder"), "{answer}");
    }
    assert_eq!(before, user.state().await);
    server.stop().await;
}

#[tokio::test]
async fn storage_types_and_modes_are_answered_as_they_were_sent() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.repo("r", "NORMAL", json!([])).await;
    let bucket = user.bucket("a").await;
    for kind in ["S3", "GCS", "BLOB", "AZURE"] {
        for mode in ["NORMAL", "MIRROR", "BACKUP"] {
            let body = json!({ "name": "r", "storageType": kind, "mode": mode });
            let (_, answer) = user.send("PUT", &format!("/repo/{id}"), body).await;
            let listed = user.read("/repo").await["repos"][0].clone();
            for repo in [&answer["repo"], &listed] {
                assert_eq!((&repo["storageType"], &repo["mode"]), (&json!(kind), &json!(mode)));
            }
        }
        user.change_bucket(bucket, json!({ "storageType": kind })).await.expect("changed");
        let listed = user.read("/bucket").await["buckets"][0].clone();
        assert_eq!(listed["storageType"], kind);
    }
    for (field, value) in [("storageType", "s3"), ("storageType", "FTP"), ("mode", "mirror")] {
        let body = with(wanted("r", "NORMAL", json!([])), json!({ field: value }));
        assert_eq!(user.send("PUT", &format!("/repo/{id}"), body).await.0, 400, "{value}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_storage_repo_moves_without_buckets_and_a_bucket_without_storage_repos() {
    let (server, cloud) = Server::beside_a_cloud().await;
    let user = User::owner(&server);
    let target = user.workspace("target").await;
    let a = user.create_bucket(abroad("a", &cloud)).await.expect("made");
    let id = user.repo("r", "NORMAL", json!([])).await;
    let home = user.read_repo(id).await.expect("read").workspace_id;
    user.change_repo(id, wanted("r", "NORMAL", json!([link(a, "", false)]))).await.expect("linked");

    let moved =
        json!({ "name": "r", "storageType": "S3", "mode": "NORMAL", "workspaceId": target });
    let before = user.state().await;
    let refusal = user.change_repo(id, moved.clone()).await.expect_err("its bucket stays behind");
    assert_eq!(refusal.rule(), (404, "NOT_FOUND"));
    let refusal = user.change_bucket(a, json!({ "workspaceId": "target" })).await;
    let refusal = refusal.expect_err("a storage repo holds it");
    let (status, message) = refusal.plain();
    assert!(status == 400 && message.contains("Take it out of them first"), "{message}");
    assert_eq!(before, user.state().await);

    user.change_repo(id, with(moved, json!({ "repoBuckets": [] }))).await.expect("moved empty");
    user.change_bucket(a, json!({ "workspaceId": "target" })).await.expect("moved");
    assert_eq!(user.read_repo(id).await.expect("read").workspace_id, target);
    assert_eq!(user.read_bucket(a).await.expect("read").workspace_id, target);
    let links = wanted("r", "NORMAL", json!([link(a, "", false)]));
    user.change_repo(id, links).await.expect("together again, and left where it is");
    assert_eq!(user.read_repo(id).await.expect("read").workspace_id, target);
    assert!(user.names(&format!("/repo?workspaceId={home}")).await.is_empty());

    let disk = user.bucket("disk").await;
    let refusal = user.change_bucket(disk, json!({ "workspaceId": "target" })).await;
    let refusal = refusal.expect_err("its folder belongs to the workspace");
    assert!(refusal.plain().1.contains("on the server's disk"), "{refusal:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_disabled_storage_repo_gets_no_access_key_until_it_is_enabled() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let id = user.repo("r", "NORMAL", json!([])).await;
    let put = async |more: Value| {
        let body = with(wanted("r", "NORMAL", json!([])), more);
        user.change_repo(id, body).await.expect("changed");
        user.read_repo(id).await.expect("read").disabled
    };
    assert!(!user.read_repo(id).await.expect("read").disabled, "a new one is not");
    let old = user.access_key(id, "READ").await.expect("a key");
    assert!(put(json!({ "disabled": true })).await);
    assert!(put(json!({})).await, "left out, it stays");
    let refusal = user.access_key(id, "READ").await.expect_err("disabled");
    let (status, message) = refusal.plain();
    assert!(status == 403 && message.contains("disabled"), "{message}");
    let keys = user.read_repo(id).await.expect("read").api_keys;
    assert_eq!(keys.iter().map(|key| key.id).collect::<Vec<_>>(), [old]);
    assert!(!put(json!({ "disabled": false })).await);
    user.access_key(id, "READ").await.expect("enabled");
    server.stop().await;
}

#[tokio::test]
async fn a_wallet_address_is_kept_and_lists_select_by_it() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let mine = json!({ "walletAddress": "GABC" });
    user.repo("plain", "NORMAL", json!([])).await;
    let repo = user.create_repo(with(wanted("r", "NORMAL", json!([])), mine.clone())).await;
    let repo = repo.expect("made");
    user.bucket("plain").await;
    let bucket = user.create_bucket(with(local("a"), mine)).await.expect("made");
    user.change_repo(repo, wanted("r", "NORMAL", json!([]))).await.expect("changed");
    user.change_bucket(bucket, json!({ "name": "a" })).await.expect("changed");

    assert_eq!(user.names("/repo?walletAddress=GABC").await, ["r"]);
    assert_eq!(user.names("/bucket?walletAddress=GABC").await, ["a"]);
    assert_eq!(user.read("/repo?walletAddress=GABC").await["repos"][0]["walletAddress"], "GABC");
    for other in ["gabc", "GAB", "%25"] {
        assert!(user.names(&format!("/repo?walletAddress={other}")).await.is_empty());
        assert!(user.names(&format!("/bucket?walletAddress={other}")).await.is_empty());
    }
    let none = json!({ "walletAddress": "" });
    user.change_repo(repo, with(wanted("r", "NORMAL", json!([])), none.clone()))
        .await
        .expect("removed");
    user.change_bucket(bucket, none).await.expect("removed");
    assert!(user.names("/repo?walletAddress=GABC").await.is_empty());
    assert!(user.names("/bucket?walletAddress=GABC").await.is_empty());
    let found: types::StorageRepo = user.read_repo(repo).await.expect("read");
    assert_eq!(found.wallet_address, None);
    server.stop().await;
}

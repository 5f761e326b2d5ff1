//! What is said of each bucket is true.

use super::stage::Mirror;
use crate::support::Server;

#[tokio::test]
async fn a_bucket_that_keeps_up_owes_nothing() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 2, &["a", "b"]).await;
    let spaces = mirror.spaces().await;
    let [space] = &spaces[..] else { panic!("one namespace: {spaces:?}") };
    assert_eq!(space.names, ["objects", "bucket-0", "bucket-1"]);
    for (place, member) in space.members.iter().enumerate() {
        assert_eq!(member.bucket_id, mirror.stage.buckets[place]);
        assert_eq!(member.name, format!("bucket-{place}"));
        assert_eq!((member.folder.as_str(), member.master), ("", place == 0));
        assert_eq!((member.state.as_str(), member.breaker.as_str()), ("active", "closed"));
        assert_eq!((member.debts, member.bytes_behind, member.retained), (0, 0, 0));
        assert_eq!((member.oldest_debt_seconds, member.breaker_until), (None, None));
        assert!(member.last_scrub_at.is_some() && member.imported.is_none(), "{member:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn independent_buckets_are_namespaces_of_their_own() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "NORMAL", 2).await;
    let mut names: Vec<_> = mirror.spaces().await.into_iter().map(|space| space.names).collect();
    names.sort();
    assert_eq!(names, [["bucket-0"], ["bucket-1"]]);
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_that_is_away_falls_behind_and_is_left_alone() {
    let server = Server::start().await;
    let mirror = Mirror::start(&server, "MIRROR", 2).await;
    mirror.take_away(1);
    mirror.put(&["a", "bb", "ccc"]).await;
    let member = mirror.member(1).await;
    assert_eq!(member.state, "unreachable");
    assert_ne!(member.breaker, "closed");
    assert_eq!(member.breaker_until.is_some(), member.breaker == "open", "{member:?}");
    assert_eq!((member.debts, member.bytes_behind), (3, 6));
    assert!(member.oldest_debt_seconds.is_some(), "{member:?}");
    let first = mirror.member(0).await;
    assert_eq!((first.state.as_str(), first.debts), ("active", 0));
    mirror.bring_back(1);
    let repair = mirror.repair().await;
    mirror.end(repair).await;
    let member = mirror.member(1).await;
    assert_eq!((member.state.as_str(), member.debts, member.bytes_behind), ("active", 0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_whose_import_cannot_end_is_importing() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "MIRROR", 1, &["a", "b"]).await;
    let id = mirror.stage.user.bucket("bucket-1").await;
    mirror.take_away(1);
    let links = serde_json::json!([
        crate::storage::stage::link(mirror.stage.buckets[0], "", true),
        crate::storage::stage::link(id, "", false),
    ]);
    let body = crate::storage::stage::wanted("objects", "MIRROR", links);
    mirror.stage.user.change_repo(mirror.stage.repo, body).await.expect("linked");
    let spaces = mirror.spaces().await;
    let member = &spaces[0].members[1];
    assert_eq!((member.imported, member.last_scrub_at), (Some(0), None), "{member:?}");
    assert!(["importing", "unreachable"].contains(&member.state.as_str()), "{member:?}");
    mirror.bring_back(1);
    server.stop().await;
}

#[tokio::test]
async fn what_backups_keep_is_no_debt() {
    let server = Server::start().await;
    let mirror = Mirror::with(&server, "BACKUP", 2, &["a", "b"]).await;
    mirror.stage.delete("a").await.expect("a delete");
    mirror.stage.until_alike().await;
    let (primary, backup) = (mirror.member(0).await, mirror.member(1).await);
    assert_eq!((primary.debts, primary.retained), (0, 0));
    assert_eq!((backup.debts, backup.retained), (0, 1));
    assert_eq!((backup.state.as_str(), backup.oldest_debt_seconds), ("active", None));
    server.stop().await;
}

//! What each mode demands of the buckets.

use serde_json::json;

use super::super::stage::{link, local, wanted, with};
use super::Scene;

#[tokio::test]
async fn a_mirror_or_backup_with_buckets_has_exactly_one_master() {
    let scene = Scene::start().await;
    let (a, b) = (scene.user.bucket("a").await, scene.user.bucket("b").await);
    for mode in ["MIRROR", "BACKUP"] {
        for (masters, code) in [
            ([true, true], "MIRROR_MASTER_UNIT_COUNT_INVALID"),
            ([false, false], "MIRROR_MASTER_UNIT_MISSING"),
            ([false, true], "SUCCESS"),
        ] {
            let links = json!([link(a, "x", masters[0]), link(b, "", masters[1])]);
            scene.expect(mode, links, code).await;
        }
        scene.expect(mode, json!([]), "SUCCESS").await;
    }
    scene.expect("NORMAL", json!([link(a, "", false), link(b, "", false)]), "SUCCESS").await;
    scene.expect("NORMAL", json!([link(a, "", true), link(b, "", true)]), "SUCCESS").await;
    scene.stop().await;
}

#[tokio::test]
async fn a_bucket_of_a_mirror_or_backup_belongs_to_it_alone() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let alone = "MIRROR_UNIT_ALREADY_IN_OTHER_REPO";
    for mode in ["MIRROR", "BACKUP"] {
        let held = user.bucket(&format!("held-{mode}")).await;
        user.repo(&format!("a {mode}"), mode, json!([link(held, "x", true)])).await;
        for other in ["MIRROR", "BACKUP", "NORMAL"] {
            scene.expect(other, json!([link(held, "elsewhere", true)]), alone).await;
        }
        let shared = user.bucket(&format!("shared-{mode}")).await;
        user.repo(&format!("beside a {mode}"), "NORMAL", json!([link(shared, "x", false)])).await;
        scene.expect(mode, json!([link(shared, "elsewhere", true)]), alone).await;
        let twice = user.bucket(&format!("twice-{mode}")).await;
        scene.expect(mode, json!([link(twice, "x", true), link(twice, "y", false)]), alone).await;
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_normal_repo_tells_its_buckets_apart_by_their_names_in_their_clouds() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let used = "NORMAL_UNIT_FOLDER_ALREADY_USED";
    let a = user.bucket("a").await;
    let other = json!({ "name": "another a", "endpoint": "file:disk2" });
    let namesake = user.create_bucket(with(local("a"), other)).await.expect("a bucket");
    let both = json!([link(a, "x", true), link(namesake, "y", false)]);
    scene.expect("NORMAL", both.clone(), used).await;
    scene.expect("NORMAL", json!([link(a, "x", true), link(a, "y", false)]), used).await;
    scene.expect("MIRROR", both, "SUCCESS").await;

    // Nor can a bucket get the name later.
    let b = user.bucket("b").await;
    let repo = user.repo("both", "NORMAL", json!([link(a, "", true), link(b, "", false)])).await;
    let before = user.state().await;
    let refusal = user.change_bucket(b, json!({ "bucket": "a" })).await.expect_err("refused");
    assert_eq!(refusal.rule(), (400, used));
    assert_eq!(before, user.state().await);
    user.change_repo(
        repo,
        wanted("both", "MIRROR", json!([link(a, "", true), link(b, "", false)])),
    )
    .await
    .expect("a mirror has one name for all");
    user.change_bucket(b, json!({ "bucket": "a", "endpoint": "file:disk2" })).await.expect("free");
    scene.stop().await;
}

#[tokio::test]
async fn a_folder_of_a_bucket_is_used_once_over_all_normal_repos() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let used = "NORMAL_UNIT_FOLDER_ALREADY_USED";
    let a = user.bucket("a").await;
    let holder = user.repo("holder", "NORMAL", json!([link(a, "x/y", false)])).await;
    for folder in ["x/y", "/x/y/"] {
        scene.expect("NORMAL", json!([link(a, folder, false)]), used).await;
    }
    for folder in ["", "x", "x/y/z", "X/Y"] {
        scene.expect("NORMAL", json!([link(a, folder, false)]), "SUCCESS").await;
    }
    user.delete_repo(holder).await.expect("deleted");
    scene.expect("NORMAL", json!([link(a, "x/y", false)]), "SUCCESS").await;
    scene.stop().await;
}

#[tokio::test]
async fn while_a_normal_repo_has_access_keys_its_buckets_stay_where_they_are() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let both = json!([link(a, "x", true), link(b, "", false)]);
    let repo = user.repo("kept", "NORMAL", both.clone()).await;
    let key = user.access_key(repo, "READ").await.expect("a key");
    let unlinked = "NORMAL_UNIT_FOLDER_CANNOT_DELETE";
    for mode in ["NORMAL", "MIRROR"] {
        for (links, code) in [
            (json!([]), unlinked),
            (json!([link(a, "x", true)]), unlinked),
            (json!([link(a, "moved", true), link(b, "", false)]), "NORMAL_UNIT_CANNOT_EDIT_FOLDER"),
        ] {
            scene.refuse(repo, wanted("kept", mode, links), code).await;
        }
    }
    // What takes nothing away is free.
    let c = user.bucket("c").await;
    let more = json!([link(c, "", false), link(b, "", true), link(a, "/x/", false)]);
    user.change_repo(repo, wanted("renamed", "NORMAL", more)).await.expect("one more");
    user.delete_access_key(repo, key).await.expect("deleted");
    user.change_repo(repo, wanted("kept", "NORMAL", json!([link(a, "moved", true)])))
        .await
        .expect("free without keys");

    let mirror =
        user.repo("mirror", "MIRROR", json!([link(b, "x", true), link(c, "", false)])).await;
    user.access_key(mirror, "ADMIN").await.expect("a key");
    user.change_repo(mirror, wanted("mirror", "MIRROR", json!([link(b, "y", true)])))
        .await
        .expect("a mirror with keys is free");
    scene.stop().await;
}

#[tokio::test]
async fn buckets_that_stay_obey_the_new_mode() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let repo = user.repo("r", "NORMAL", json!([link(a, "x", false), link(b, "", false)])).await;
    user.repo("beside", "NORMAL", json!([link(a, "y", false)])).await;
    let missing = "MIRROR_MASTER_UNIT_MISSING";
    assert_eq!(scene.check(Some(repo), json!({ "mode": "MIRROR" })).await, missing);
    let body = json!({ "name": "r", "storageType": "S3", "mode": "MIRROR" });
    let refusal = user.change_repo(repo, body).await.expect_err("refused");
    assert_eq!(refusal.rule(), (400, missing));
    let links = json!([link(a, "x", true), link(b, "", false)]);
    scene.refuse(repo, wanted("r", "MIRROR", links), "MIRROR_UNIT_ALREADY_IN_OTHER_REPO").await;
    assert_eq!(scene.check(Some(repo), json!({ "mode": "NORMAL" })).await, "SUCCESS");
    scene.stop().await;
}

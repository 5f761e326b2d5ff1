//! What a storage repo may hold, at every door that says so: creating, changing, checking either.

use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{Refusal, User, answer, link, local, typed, wanted, with};
use crate::support::Server;

/// A server with one storage repo that holds nothing.
struct Scene {
    server: Server,
    user: User,
    blank: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let user = User::owner(&server);
        let blank = user.repo("blank", "NORMAL", json!([])).await;
        Self { server, user, blank }
    }

    /// Every door has the same opinion of buckets in a mode, and a refusal changes nothing.
    async fn expect(&self, mode: &str, links: Value, code: &str) {
        let user = &self.user;
        let status = match code {
            "SUCCESS" => 200,
            "NOT_FOUND" => 404,
            _ => 400,
        };
        let before = user.state().await;
        let checked = [
            self.check(None, json!({ "mode": mode, "repoBuckets": links })).await,
            self.check(Some(self.blank), json!({ "mode": mode, "repoBuckets": links })).await,
        ];
        assert_eq!(checked, [code, code], "{mode} {links}");
        assert_eq!(before, user.state().await, "a check changes nothing");

        let created = user.create_repo(wanted("asked", mode, links.clone())).await;
        let changed = user.change_repo(self.blank, wanted("blank", mode, links.clone())).await;
        match (created, changed) {
            (Ok(made), Err(second)) if code == "SUCCESS" && !links[0].is_null() => {
                // The one that was made holds the buckets now.
                assert_eq!(second.status, 400, "{mode} {links}");
                user.delete_repo(made).await.expect("deleted");
                let again = user.change_repo(self.blank, wanted("blank", mode, links)).await;
                again.expect("changed");
            }
            (Ok(made), Ok(_)) if code == "SUCCESS" => {
                user.delete_repo(made).await.expect("deleted")
            }
            (Err(created), Err(changed)) => {
                for refusal in [created, changed] {
                    assert_eq!(refusal.rule(), (status, code), "{mode} {links}");
                }
                assert_eq!(before, user.state().await, "{mode} {links}");
            }
            other => panic!("{mode} {links}: {other:?}"),
        }
        let emptied = user.change_repo(self.blank, wanted("blank", "NORMAL", json!([]))).await;
        emptied.expect("empty again");
    }

    /// The verdict on a new storage repo, or on a change of one.
    async fn check(&self, repo: Option<Uuid>, body: Value) -> String {
        let client = &self.user.client;
        let body: types::ValidateStorageRepoRequest = typed(body);
        let verdict = match repo {
            None => answer(client.validate_new_storage_repo().body(body).send().await),
            Some(id) => answer(client.validate_storage_repo().repo_id(id).body(body).send().await),
        };
        let verdict = verdict.expect("both outcomes are 200");
        assert_eq!(verdict.success, verdict.error_code == "SUCCESS");
        assert_eq!(verdict.success, verdict.error_message.is_none());
        verdict.error_code
    }

    /// A change that breaks a rule, which checking it says too.
    async fn refuse(&self, repo: Uuid, body: Value, code: &str) {
        let before = self.user.state().await;
        let question = json!({ "mode": body["mode"], "repoBuckets": body["repoBuckets"] });
        assert_eq!(self.check(Some(repo), question).await, code, "{body}");
        let refusal = self.user.change_repo(repo, body.clone()).await.expect_err("refused");
        assert_eq!(refusal.rule(), (400, code), "{body}");
        assert_eq!(before, self.user.state().await, "{body}");
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

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
async fn buckets_and_ai_llms_are_of_the_repos_own_workspace() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let a = user.bucket("a").await;
    let other = json!({ "workspaceId": user.workspace("other").await });
    let far = user.create_bucket(with(local("far"), other)).await.expect("a bucket");
    for mode in ["MIRROR", "BACKUP", "NORMAL"] {
        let unknown = json!([link(Uuid::new_v4(), "", true)]);
        scene.expect(mode, unknown, "NOT_FOUND").await;
        let by_name = json!([{ "bucketId": "nothing is called so", "master": true }]);
        scene.expect(mode, by_name, "NOT_FOUND").await;
        scene.expect(mode, json!([link(a, "", true), link(far, "", false)]), "NOT_FOUND").await;
    }
    for (llms, expected) in [
        (json!([{ "aiLlmId": "gone" }]), (404, "NOT_FOUND")),
        (json!([{ "aiLlmId": Uuid::new_v4() }]), (404, "NOT_FOUND")),
    ] {
        let body = with(wanted("asked", "NORMAL", json!([])), json!({ "repoAiLlms": llms }));
        let refusal = user.create_repo(body.clone()).await.expect_err("refused");
        assert_eq!(refusal.rule(), expected);
        let refusal = user.change_repo(scene.blank, body).await.expect_err("refused");
        assert_eq!(refusal.rule(), expected);
    }
    let absent = user.change_repo(Uuid::new_v4(), wanted("x", "NORMAL", json!([]))).await;
    assert_eq!(absent.expect_err("absent").rule(), (404, "NOT_FOUND"));
    scene.stop().await;
}

#[tokio::test]
async fn one_ai_llm_is_named_once_and_one_of_several_by_its_id() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let (first, second) = (user.ai_llm("twin").await, user.ai_llm("twin").await);
    let name = async |llms: Value| {
        let body = with(wanted("blank", "NORMAL", json!([])), json!({ "repoAiLlms": llms }));
        user.change_repo(scene.blank, body).await
    };
    for (llms, word) in [
        (json!([{ "aiLlmId": first }, { "aiLlmId": first }]), "twice"),
        (json!([{ "aiLlmId": "twin" }]), "several"),
    ] {
        let refusal = name(llms).await.expect_err("refused");
        let (status, message) = refusal.plain();
        assert!(status == 400 && message.contains(word), "{message}");
    }
    name(json!([{ "aiLlmId": second }, { "aiLlmId": first }])).await.expect("both");
    let kept = user.read_repo(scene.blank).await.expect("read").ai_llms;
    assert_eq!(kept.iter().map(|llm| llm.ai_llm_id).collect::<Vec<_>>(), [second, first]);
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

#[tokio::test]
async fn a_storage_repo_holds_at_most_32_buckets() {
    let scene = Scene::start().await;
    let links: Vec<_> = (0..33).map(|_| link(Uuid::new_v4(), "", false)).collect();
    let body = wanted("asked", "NORMAL", json!(links));
    let (status, answer) = scene.user.send("POST", "/repo", body).await;
    assert_eq!(status, 400, "{answer}");
    assert!(answer["message"].as_str().expect("text").contains("at most 32"), "{answer}");
    scene.stop().await;
}

#[tokio::test]
async fn a_storage_repos_name_is_used_once_in_its_workspace_until_it_is_deleted() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let taken = |refusal: Refusal| assert_eq!(refusal.rule(), (400, "NAME_ALREADY_USED"));
    let named = wanted("named", "NORMAL", json!([]));
    let first = user.create_repo(named.clone()).await.expect("made");
    let before = user.state().await;
    taken(user.create_repo(named.clone()).await.expect_err("taken"));
    taken(user.change_repo(scene.blank, named.clone()).await.expect_err("taken"));
    assert_eq!(before, user.state().await);

    let other = user.workspace("other").await;
    let there = with(named.clone(), json!({ "workspaceId": other }));
    let second = user.create_repo(there).await.expect("free in another workspace");
    let default = user.read_repo(first).await.expect("read").workspace_id;
    let back = with(named.clone(), json!({ "workspaceId": default }));
    taken(user.change_repo(second, back.clone()).await.expect_err("taken there"));
    user.change_repo(first, named).await.expect("its own name is free");
    user.delete_repo(first).await.expect("deleted");
    user.change_repo(second, back).await.expect("free again");
    scene.stop().await;
}

#[tokio::test]
async fn a_buckets_name_is_used_once_in_the_organisation_until_it_is_deleted() {
    let scene = Scene::start().await;
    let user = &scene.user;
    let taken = |refusal: Refusal| assert_eq!(refusal.rule(), (400, "NAME_ALREADY_USED"));
    let (a, b) = (user.bucket("a").await, user.bucket("b").await);
    let other = user.workspace("other").await;
    let before = user.state().await;
    taken(user.create_bucket(local("a")).await.expect_err("taken"));
    let there = with(local("a"), json!({ "workspaceId": other }));
    taken(user.create_bucket(there).await.expect_err("taken over all workspaces"));
    taken(user.change_bucket(b, json!({ "name": "a" })).await.expect_err("taken"));
    assert_eq!(before, user.state().await);

    let stranger = User::of(&scene.server, &scene.server.other_org("other").await);
    stranger.bucket("a").await;
    user.change_bucket(a, json!({ "name": "a" })).await.expect("its own name is free");
    user.delete_bucket(a).await.expect("deleted");
    user.change_bucket(b, json!({ "name": "a" })).await.expect("free again");
    scene.stop().await;
}

#[tokio::test]
async fn an_organisation_has_as_many_buckets_and_storage_repos_as_its_quota_says() {
    let server = Server::start_with(|config| {
        config.limits.buckets = 1;
        config.limits.storage_repos = 1;
    })
    .await;
    let user = User::owner(&server);
    let bucket = user.bucket("a").await;
    let repo = user.repo("a", "NORMAL", json!([])).await;
    let before = user.state().await;
    let refusals = [
        user.create_bucket(local("b")).await.expect_err("too many"),
        user.create_repo(wanted("b", "NORMAL", json!([]))).await.expect_err("too many"),
    ];
    for refusal in refusals {
        assert_eq!(refusal.rule(), (429, "QUOTA_EXCEEDED"));
        assert!(refusal.error.message.contains("Delete one first"), "{}", refusal.error.message);
        assert_eq!(refusal.headers.get("retry-after"), None, "waiting frees no quota");
    }
    assert_eq!(before, user.state().await);

    let stranger = User::of(&server, &server.other_org("other").await);
    stranger.bucket("c").await;
    user.delete_bucket(bucket).await.expect("deleted");
    user.delete_repo(repo).await.expect("deleted");
    user.bucket("b").await;
    user.repo("b", "NORMAL", json!([])).await;
    server.stop().await;
}

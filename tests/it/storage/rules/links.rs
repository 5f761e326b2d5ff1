//! Which buckets and AI LLMs a storage repo can name, and how many.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::stage::{link, local, wanted, with};
use super::Scene;

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
async fn a_storage_repo_holds_at_most_32_buckets() {
    let scene = Scene::start().await;
    let links: Vec<_> = (0..33).map(|_| link(Uuid::new_v4(), "", false)).collect();
    let body = wanted("asked", "NORMAL", json!(links));
    let (status, answer) = scene.user.send("POST", "/repo", body).await;
    assert_eq!(status, 400, "{answer}");
    assert!(answer["message"].as_str().expect("text").contains("at most 32"), "{answer}");
    scene.stop().await;
}

//! What is retrieved: how well it fits, and how much there is room for.

use repoplane_client::types;
use serde_json::{Value, json};

use super::{PROJECT, indexed, project};
use crate::support::Server;
use crate::support::repo::{Repo, answer, write};

async fn retrieve(repo: &Repo, body: Value) -> types::RetrieveResponse {
    let body: types::RetrieveRequest = serde_json::from_value(body).expect("a body");
    let sent = repo.client.retrieve_source_files().repo_id(repo.id).body(body).send().await;
    answer(sent).expect("an answer")
}

fn names(found: &types::RetrieveResponse) -> Vec<&str> {
    found.results.iter().map(|file| file.filename.as_str()).collect()
}

#[tokio::test]
async fn what_fits_is_retrieved_as_far_as_there_is_room() {
    let server = Server::start().await;
    let repo = indexed(&server.owner(), &PROJECT).await;
    let head = repo.head().await;
    let all = retrieve(&repo, json!({"query": "settings default", "score_threshold": 0})).await;
    assert_eq!((all.hash.as_str(), all.pending_embeddings), (head.as_str(), 0));
    assert_eq!(names(&all).len(), 3);
    assert!(all.results.iter().all(|file| file.content.is_none()), "not asked for");
    let scores: Vec<_> = all.results.iter().map(|file| file.score).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    let best = scores[0];
    let body =
        json!({"query": "settings default", "score_threshold": best, "include_content": true});
    let only = retrieve(&repo, body).await;
    assert_eq!(names(&only), names(&all)[..1]);
    let text =
        PROJECT.iter().find(|(path, _)| *path == only.results[0].filename).expect("a file").1;
    assert_eq!(only.results[0].content.as_deref(), Some(text));
    let none = json!({"query": "settings", "score_threshold": 1, "token_limit": 30_000});
    assert_eq!(names(&retrieve(&repo, none).await), [""; 0]);
    let tokens = text.len().div_ceil(4);
    for (limit, has_best) in [(0, false), (tokens - 1, false), (tokens, true)] {
        let body = json!({"query": "settings default", "score_threshold": 0, "token_limit": limit});
        let found = retrieve(&repo, body).await;
        assert_eq!(names(&found).contains(&names(&all)[0]), has_best, "{limit}");
        let used = found.results.iter().map(|file| file.filename.as_str());
        let sizes =
            used.map(|name| PROJECT.iter().find(|it| it.0 == name).expect("a file").1.len());
        assert!(sizes.map(|size| size.div_ceil(4)).sum::<usize>() <= limit);
    }
    let exact = json!({"query": "`each time`", "score_threshold": 0, "rerank": true});
    let words = json!({"query": "`each time`", "score_threshold": 0, "rerank": false});
    let (exact, words) = (retrieve(&repo, exact).await, retrieve(&repo, words).await);
    assert_eq!(names(&exact)[0], "src/retry.rs", "the only one that has the words side by side");
    assert_eq!(names(&words)[0], "tests/retry_test.rs", "defines what has the word in its name");
    server.stop().await;
}

#[tokio::test]
async fn branches_and_commits_can_be_retrieved_from() {
    let server = Server::start().await;
    let repo = indexed(&server.owner(), &[("a", "alpha\n")]).await;
    let first = repo.head().await;
    let branch: types::CreateBranchRequest =
        serde_json::from_value(json!({"name": "old/one"})).expect("a branch");
    let made = repo.client.create_branch().repo_id(repo.id).body(branch).send().await;
    answer(made).expect("a branch");
    repo.changes(vec![write("b", "alpha\n")]).await;
    let head = repo.head().await;
    for (extra, hash, files) in [
        (json!({}), &head, 2),
        (json!({"branch": null, "hash": null}), &head, 2),
        (json!({"branch": "old/one"}), &first, 1),
        (json!({"hash": first}), &first, 1),
        (json!({"branch": "main", "hash": first}), &first, 1),
    ] {
        let mut body = json!({"query": "alpha", "score_threshold": 0});
        let fields = body.as_object_mut().expect("an object");
        fields.extend(extra.as_object().expect("an object").clone());
        let found = retrieve(&repo, body).await;
        assert_eq!((&found.hash, found.results.len()), (hash, files), "{extra}");
    }
    let status = repo.client.get_embedding_status().repo_id(repo.id);
    let status = answer(status.branch("old/one").send().await).expect("a status");
    let counts = (status.completed_embeddings, status.pending_embeddings);
    assert_eq!((status.hash, counts), (first, (1, 0)));
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_indexed_by_itself_cannot_be_retrieved() {
    let server = Server::start().await;
    let repo = project(&server.owner()).await;
    let body: types::RetrieveRequest =
        serde_json::from_value(json!({"query": "settings"})).expect("a body");
    let sent = repo.client.retrieve_source_files().repo_id(repo.id).body(body).send().await;
    let refusal = answer(sent).map(drop).expect_err("a refusal");
    assert_eq!(refusal.status, 404);
    assert!(refusal.error.message.contains("auto_index"), "{}", refusal.error.message);
    let status = repo.client.get_embedding_status().repo_id(repo.id).send().await;
    assert_eq!(answer(status).map(drop).expect_err("a refusal").status, 404);
    server.stop().await;
}

//! Source repos, from creation to deletion.

use repoplane_client::types;

use crate::support::Server;

#[tokio::test]
async fn a_repo_is_made_edited_read_and_deleted() {
    let server = Server::start().await;
    let client = server.owner();
    let made = client.create_source_repo().send().await.expect("created").into_inner();

    let source: types::EditSource = serde_json::from_value(serde_json::json!({
        "type": "diff",
        "operations": [
            {"type": "write", "filename": "src/a.rs", "content": "fn a() {}\n"},
            {"type": "write", "filename": "b.md", "content": "b"},
        ],
    }))
    .expect("an edit");
    let body = types::EditSourceRepoRequest::builder().source(Some(source));
    let edited = client.edit_source_repo().repo_id(made.repo_id).body(body).send().await;
    let edited = edited.expect("edited").into_inner();
    assert_ne!(edited.repo_head, made.repo_head);
    assert_eq!(edited.changed_files, Some(vec!["src/a.rs".to_owned(), "b.md".to_owned()]));

    let files = client.clone_source_repo().repo_id(made.repo_id).send().await.expect("clone");
    let names: Vec<_> = files.files.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(names, ["b.md", "src/a.rs"]);

    client.delete_source_repo().repo_id(made.repo_id).send().await.expect("deleted");
    let gone = client.get_source_repo().repo_id(made.repo_id).send().await.expect_err("gone");
    assert_eq!(gone.status().map(|status| status.as_u16()), Some(404));
    server.stop().await;
}

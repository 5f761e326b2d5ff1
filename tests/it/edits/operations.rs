//! The phases of a `diff`, and what each operation means.

use crate::support::Server;
use crate::support::repo::{Repo, delete, files, rename, write};

#[tokio::test]
async fn deletes_come_first_then_writes_then_renames() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "old"), ("b", "b")]).await;
    // Deleting and writing one path leaves the written file, in either order.
    assert_eq!(repo.changes(vec![write("a", "1"), delete("a")]).await, ["a"]);
    assert_eq!(repo.changes(vec![delete("a"), write("a", "2")]).await, ["a"]);
    assert_eq!(repo.files().await, files(&[("a", "2"), ("b", "b")]));
    // A file that the same edit writes can be renamed, and a rename moves the new content.
    assert_eq!(repo.changes(vec![rename("n", "m"), write("n", "new")]).await, ["m"]);
    assert_eq!(repo.changes(vec![rename("a", "c"), write("a", "3")]).await, ["c", "a"]);
    assert_eq!(repo.files().await, files(&[("b", "b"), ("c", "3"), ("m", "new")]));
    // What an edit deletes cannot be renamed by it.
    let refusal = repo.refuses(vec![rename("b", "d"), delete("b")]).await;
    assert_eq!(refusal.cause(), (404, "not_found"));
    server.stop().await;
}

#[tokio::test]
async fn the_last_write_of_a_path_and_the_last_rename_of_a_source_count() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let operations = vec![write("b", "1"), rename("a", "c"), write("b", "2"), rename("a", "d")];
    assert_eq!(repo.changes(operations).await, ["b", "d"]);
    assert_eq!(repo.files().await, files(&[("b", "2"), ("d", "a")]));
    server.stop().await;
}

#[tokio::test]
async fn a_directory_is_deleted_with_everything_in_it_and_nothing_else() {
    let server = Server::start().await;
    let all = [("d.x", "0"), ("d/a", "1"), ("d/e/b", "2"), ("d0", "3"), ("e/d/a", "4")];
    let repo = Repo::create(&server.owner(), &all).await;
    assert_eq!(repo.changes(vec![delete("d")]).await, ["d/a", "d/e/b"]);
    assert_eq!(repo.files().await, files(&[("d.x", "0"), ("d0", "3"), ("e/d/a", "4")]));
    // The directory and a file in it, one of them written again.
    assert_eq!(
        repo.changes(vec![delete("e"), delete("e/d"), write("e/d/b", "5")]).await,
        ["e/d/a", "e/d/b"]
    );
    assert_eq!(repo.files().await, files(&[("d.x", "0"), ("d0", "3"), ("e/d/b", "5")]));
    server.stop().await;
}

#[tokio::test]
async fn what_is_missing_is_404_and_all_or_nothing() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "a"), ("d/b", "b")]).await;
    for missing in ["x", "d/x", "a/x", "d/b/x", "D"] {
        for operation in [delete(missing), rename(missing, "new")] {
            let refusal = repo.refuses(vec![write("other", "1"), operation]).await;
            assert_eq!(refusal.cause(), (404, "not_found"), "{missing}");
            assert!(refusal.error.message.contains(&format!("`{missing}`")), "{refusal:?}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn renames_swap_and_chain_without_loss() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "A"), ("b", "B"), ("c", "C")]).await;
    assert_eq!(repo.changes(vec![rename("a", "b"), rename("b", "a")]).await, ["b", "a"]);
    assert_eq!(repo.files().await, files(&[("a", "B"), ("b", "A"), ("c", "C")]));
    let chain = vec![rename("a", "b"), rename("b", "c"), rename("c", "d/e")];
    assert_eq!(repo.changes(chain).await, ["b", "c", "d/e"]);
    assert_eq!(repo.files().await, files(&[("b", "B"), ("c", "A"), ("d/e", "C")]));
    // A rename may put a file where the directory of its source was, and the other way round.
    assert_eq!(repo.changes(vec![rename("d/e", "d")]).await, ["d"]);
    assert_eq!(repo.changes(vec![rename("b", "b/f")]).await, ["b/f"]);
    assert_eq!(repo.files().await, files(&[("b/f", "B"), ("c", "A"), ("d", "C")]));
    server.stop().await;
}

#[tokio::test]
async fn a_rename_overwrites_the_file_at_its_new_name() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("a", "A"), ("b", "B")]).await;
    assert_eq!(repo.changes(vec![rename("a", "b")]).await, ["b"]);
    assert_eq!(repo.files().await, files(&[("b", "A")]));
    server.stop().await;
}

#[tokio::test]
async fn a_directory_cannot_be_renamed() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("d/a", "A"), ("d/e/b", "B")]).await;
    for directory in ["d", "d/e"] {
        let refusal = repo.refuses(vec![rename(directory, "new")]).await;
        assert_eq!(refusal.cause(), (422, "validation_error"), "{directory}");
        assert!(refusal.error.message.contains("one by one"), "{refusal:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_file_is_dropped_to_make_room() {
    let server = Server::start().await;
    let repo = Repo::create(&server.owner(), &[("f", "F"), ("d/a", "A"), ("d/e/b", "B")]).await;
    for operations in [
        vec![write("f/x", "1")],
        vec![write("f/x/y", "1")],
        vec![write("d", "1")],
        vec![write("d/e", "1")],
        vec![write("n", "1"), write("n/m", "2")],
        vec![rename("f", "d")],
        vec![rename("d/a", "f/x")],
        vec![rename("d/a", "n"), rename("d/e/b", "n/m")],
        vec![rename("d/a", "n"), rename("d/e/b", "n")],
        // Still there when the write comes.
        vec![rename("f", "g"), write("f/x", "1")],
    ] {
        let refusal = repo.refuses(operations).await;
        assert_eq!(refusal.cause(), (409, "conflict"), "{refusal:?}");
        assert_eq!(refusal.headers["x-should-retry"], "false");
        assert_eq!(refusal.error.current_head, None);
    }
    // With the room made in the same edit, it works.
    assert_eq!(repo.changes(vec![delete("f"), write("f/x", "1")]).await, ["f", "f/x"]);
    assert_eq!(repo.changes(vec![delete("d"), write("d", "1")]).await, ["d/a", "d/e/b", "d"]);
    assert_eq!(repo.files().await, files(&[("d", "1"), ("f/x", "1")]));
    server.stop().await;
}

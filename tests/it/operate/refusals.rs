//! Starts that must not happen: with the wrong key, an exposed one, or a second server.

use std::os::unix::fs::PermissionsExt;

use super::process::Place;

const SERVE: [&str; 7] =
    ["serve", "--data-dir", "data", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"];

#[tokio::test]
async fn the_master_key_of_another_database_is_refused() {
    let (place, other) = (Place::new(), Place::new());
    place.serve().await.stop().await;
    other.serve().await.stop().await;
    let (right, wrong) = (place.data().join("master.key"), other.data().join("master.key"));
    let kept = std::fs::read(&right).expect("key");
    std::fs::copy(wrong, &right).expect("another key");
    let said = place.refused(&SERVE).await;
    assert!(said.contains("master.key is not the master key of this database"), "{said}");
    assert!(said.contains("from a backup"), "{said}");
    std::fs::write(&right, kept).expect("the key");
    place.serve().await.stop().await;
}

#[tokio::test]
async fn a_master_key_that_others_can_read_is_refused() {
    let place = Place::new();
    place.serve().await.stop().await;
    let key = place.data().join("master.key");
    let mode = std::fs::metadata(&key).expect("key").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let said = place.refused(&SERVE).await;
    assert!(said.contains("run: chmod 600"), "{said}");
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let server = place.serve().await;
    let said = place.refused(&SERVE).await;
    assert!(said.contains("another server is running"), "{said}");
    let token = place.done(&["token", "create"]).await;
    server.client(&token).create_source_repo().send().await.expect("the first one works");
    server.stop().await;
    place.serve().await.stop().await;
}

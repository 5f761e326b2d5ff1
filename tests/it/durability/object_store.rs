//! Packs in a bucket of S3, which servers share that have nothing else in common but the database.

use repoplane::app::App;
use repoplane::config::{Config, ObjectsS3};

use super::Numbers;
use crate::git::stage::{Work, url_of};
use crate::support::clouds::Cloud;
use crate::support::fsck;
use crate::support::repo::{Repo, write};
use crate::support::{OWNER_TOKEN, Server};

fn keep_in(config: &mut Config, cloud: &Cloud, url: &str) {
    config.objects = Some(url.to_owned());
    config.objects_s3 = ObjectsS3 {
        endpoint: Some(cloud.endpoint.clone()),
        region: None,
        key: Some(cloud.key.clone()),
        secret: Some(cloud.secret.clone()),
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_to_one_server_is_cloned_from_another() {
    let Some(cloud) = Cloud::moto().await else { return };
    cloud.make("packs").await;
    let server = Server::start_with(|config| keep_in(config, &cloud, "s3://packs/deep/down")).await;
    let second = server.second().await;
    let repo = Repo::create(&server.owner(), &[("a", "a")]).await;
    let at = |base: &str| url_of(base, repo.id, OWNER_TOKEN);

    let work = Work::clone(&at(&server.url()), &[]).await;
    // As one request, in parts, and small enough for a row.
    for (round, size) in [400_000, 11_000_000, 10].into_iter().enumerate() {
        let text = Numbers(round as u64 + 70).text(size);
        let commit = work.commit(&[(&format!("f{round}"), &text)]).await;
        work.push(&["main"]).await.well();
        let there = Work::clone(&at(&second.url()), &[]).await;
        there.fsck().await;
        assert_eq!(there.tip("HEAD").await, commit);
        assert!(
            std::fs::read_to_string(there.tree().join(format!("f{round}"))).expect("f") == text
        );
    }
    // And the other way, by an edit.
    let text = Numbers(80).text(400_000);
    repo.seen_by(&second.owner()).diff(vec![write("e", &text)]).await.expect("an edit");
    assert!(repo.read("e").await.expect("the file") == text.as_bytes());
    second.stop().await;
    assert!(!server.folder().join("objects").exists(), "nothing is kept here");

    let server = server.restart_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache")).expect("a cache");
    });
    let server = server.await;
    let repo = repo.seen_by(&server.owner());
    assert!(repo.read("e").await.expect("the file") == text.as_bytes());
    assert_eq!(fsck::repositories(&server.folder().join("cache")).len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_used_is_named_at_the_start() {
    let Some(cloud) = Cloud::moto().await else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let said = async |change: fn(&mut Config), url: &str| {
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        keep_in(&mut config, &cloud, url);
        change(&mut config);
        let error = App::open(&config).await.err().expect("it does not start");
        let said = format!("{error:#}");
        assert!(!said.contains("test-secret"), "{said}");
        said
    };
    let absent = said(|_| {}, "s3://absent/x").await;
    assert!(absent.contains("s3://absent/x") && absent.contains("objects_s3"), "{absent}");
    for url in ["https://packs", "s3:packs", "s3://me:secret@packs/", "packs", ""] {
        assert!(said(|_| {}, url).await.contains("like s3://BUCKET/PREFIX"), "{url}");
    }
    let half = said(|config| config.objects_s3.secret = None, "s3://absent").await;
    assert!(half.contains("belong together"), "{half}");
    let both = said(|config| config.objects_dir = Some("x".into()), "s3://absent").await;
    assert!(both.contains("not both"), "{both}");
}

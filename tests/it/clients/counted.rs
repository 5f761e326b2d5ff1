//! What a client counts of the bytes it moves is what the statistics say, to the byte.

use repoplane_client::types::IdList;
use serde_json::Value;

use super::stage::{PYTHON, Script, run, start};
use crate::objects::stage::Stage as Objects;
use crate::support::peers;

const SCRIPT: Script =
    Script { needs: &[PYTHON], program: PYTHON, arguments: &["python/s3/counted.py"] };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_what_a_client_counts() {
    if !peers::installed(SCRIPT.needs) {
        return;
    }
    let server = start().await;
    let objects = Objects::on_disk(&server, "MIRROR", 2).await;
    let said: Value =
        serde_json::from_str(&run(&objects, &SCRIPT, Some("bucket-0")).await.file()).expect("JSON");
    objects.until_alike().await;
    let counted = |name: &str| said[name].to_string();
    let repo = objects.user.client.get_repo_stats().send().await.expect("totals").into_inner();
    let [repo] = &repo.stats[..] else { panic!("one storage repo") };
    assert_eq!(repo.total_upload_bytes, counted("up"));
    assert_eq!(repo.total_download_bytes, counted("down"));
    assert_eq!(repo.total_size_change, counted("size"));
    // What is copied within the repo goes between its buckets and the server, and nowhere else.
    let copied: u64 = 2 * 70_001;
    let number = |name: &str| said[name].as_u64().expect("a number");
    let (mut up, mut down) = (vec![], 0);
    for id in &objects.buckets {
        let only: IdList = id.to_string().parse().expect("an id");
        let request = objects.user.client.get_bucket_stats().bucket_id(only);
        let found = request.send().await.expect("totals").into_inner();
        let [bucket] = &found.stats[..] else { panic!("one bucket") };
        assert_eq!(bucket.total_size_change, counted("size"), "{id}");
        up.push(bucket.total_upload_bytes.parse::<u64>().expect("a number"));
        down += bucket.total_download_bytes.parse::<u64>().expect("a number");
    }
    assert_eq!(up, vec![number("up") + copied; 2]);
    assert_eq!(down, number("down") + copied);
    server.stop().await;
}

//! The AWS SDK for JavaScript, with its settings as they come.

use super::stage::{Script, in_clouds, on_disks};

const SCRIPT: Script = Script {
    needs: &["node/node_modules/@aws-sdk/client-s3"],
    program: "node",
    arguments: &["node/s3.mjs"],
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_for_javascript_works_over_disks() {
    on_disks(&SCRIPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_for_javascript_works_over_clouds() {
    in_clouds(&SCRIPT).await;
}

//! The AWS CLI: copies, syncs, lists, deletes and presigned URLs.

use super::stage::{PYTHON, Script, in_clouds, on_disks};

const SCRIPT: Script = Script {
    needs: &[PYTHON, "python/bin/aws"],
    program: PYTHON,
    arguments: &["python/s3/aws_cli.py"],
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_aws_cli_works_over_disks() {
    on_disks(&SCRIPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_aws_cli_works_over_clouds() {
    in_clouds(&SCRIPT).await;
}

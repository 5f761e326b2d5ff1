//! rclone: syncs, checks, large copies and purges.

use super::stage::{PYTHON, Script, in_clouds, on_disks};

const SCRIPT: Script = Script {
    needs: &[PYTHON, "python/bin/rclone"],
    program: PYTHON,
    arguments: &["python/s3/rclone.py"],
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rclone_works_over_disks() {
    on_disks(&SCRIPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rclone_works_over_clouds() {
    in_clouds(&SCRIPT).await;
}

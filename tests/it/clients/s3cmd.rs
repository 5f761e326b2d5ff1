//! s3cmd: puts, gets, syncs, deletes.

use super::stage::{PYTHON, Script, in_clouds, on_disks};

const SCRIPT: Script = Script {
    needs: &[PYTHON, "python/bin/s3cmd"],
    program: PYTHON,
    arguments: &["python/s3/s3cmd.py"],
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3cmd_works_over_disks() {
    on_disks(&SCRIPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3cmd_works_over_clouds() {
    in_clouds(&SCRIPT).await;
}

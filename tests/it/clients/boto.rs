//! The AWS SDK for Python: objects, lists, parts, conditions, checksums, URLs, virtual hosts.

use super::stage::{PYTHON, Script, in_clouds, on_disks};

const SCRIPT: Script =
    Script { needs: &[PYTHON], program: PYTHON, arguments: &["python/s3/boto.py"] };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_works_over_disks() {
    on_disks(&SCRIPT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_works_over_clouds() {
    in_clouds(&SCRIPT).await;
}

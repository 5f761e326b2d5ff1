//! What S3 promises, in many small cases, each with the status and the code of what has to be refused.

use super::stage::{PYTHON, Said, Script, check, run, start};
use crate::objects::stage::Stage as Objects;
use crate::support::peers;

/// The fewest cases; were they not found, nothing would fail.
const CASES_MIN: usize = 300;

const CASES: Script = Script { needs: &[PYTHON], program: PYTHON, arguments: &["-m", "promises"] };

fn check_count(said: &Said) {
    let cases: usize = said.output.trim().parse().expect("how many cases there were");
    assert!(cases >= CASES_MIN, "only {cases} cases");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_kept_in_buckets_that_clients_make() {
    if !peers::installed(CASES.needs) {
        return;
    }
    let server = start().await;
    let objects = Objects::on_disk(&server, "NORMAL", 1).await;
    check_count(&run(&objects, &CASES, None).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_kept_over_buckets_that_mirror_each_other() {
    if !peers::installed(CASES.needs) {
        return;
    }
    let server = start().await;
    let objects = Objects::on_disk(&server, "MIRROR", 2).await;
    check_count(&run(&objects, &CASES, Some("bucket-0")).await);
    // The last case cleans up behind itself.
    check(&objects, Default::default()).await;
    server.stop().await;
}

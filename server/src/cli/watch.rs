//! Waits for a job and shows how it gets on: a bar on a terminal, elsewhere a line now and then. All of it
//! on standard error.

use std::time::Duration;

use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use repoplane_client::FollowError;
use repoplane_client::types::Job;
use uuid::Uuid;

use super::remote::Remote;

const BAR: &str = "{prefix} {wide_bar} {pos}/{len} {msg}";
const SPINNER: &str = "{prefix} {spinner} {pos} {msg}";
/// How often a bar moves that has nothing to show.
const TICK: Duration = Duration::from_millis(100);
/// Wait before a job is followed again whose stream was cut off.
const AGAIN: Duration = Duration::from_secs(1);

/// The job as it was when it had ended.
pub async fn to_the_end(remote: &Remote, id: Uuid) -> anyhow::Result<Job> {
    let shown = Shown::new();
    let mut last = None;
    loop {
        let mut jobs = std::pin::pin!(remote.client.follow_job().id(id).stream());
        loop {
            match jobs.try_next().await {
                Ok(Some(job)) => {
                    shown.update(&job, last.as_ref());
                    last = Some(job);
                }
                Ok(None) => {
                    shown.bar.finish_and_clear();
                    return last.ok_or_else(|| anyhow::anyhow!("the server said nothing of {id}"));
                }
                // A server or a proxy that goes away may be back; if not, asking again says so.
                Err(FollowError::Cut | FollowError::Connection(_)) => break,
                Err(FollowError::Request(error)) => return Err(remote.explained(*error)),
                Err(other) => return Err(other.into()),
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

struct Shown {
    bar: ProgressBar,
}

impl Shown {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    fn update(&self, job: &Job, before: Option<&Job>) {
        let message = job.message.clone().unwrap_or_default();
        if self.bar.is_hidden() {
            // Not every object deserves a line.
            let line = |job: &Job| (job.state.clone(), job.percent, job.message.clone());
            if before.is_none_or(|before| line(before) != line(job)) {
                let percent =
                    job.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
                eprintln!("{}: {}{percent} {message}", job.kind, job.state);
            }
            return;
        }
        let template = if job.total.is_some() { BAR } else { SPINNER };
        let style = ProgressStyle::with_template(template).expect("a template that is right");
        self.bar.set_style(style);
        self.bar.set_prefix(job.kind.clone());
        self.bar.set_message(message);
        if let Some(total) = job.total {
            self.bar.set_length(total.max(job.done).unsigned_abs());
        }
        self.bar.set_position(job.done.unsigned_abs());
    }
}

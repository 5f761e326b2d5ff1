//! Waits for long work of the server and shows how it gets on: a bar on a terminal, elsewhere a line now
//! and then. All of it on standard error.

use std::time::Duration;

use futures::{Stream, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use repoplane_client::FollowError;
use uuid::Uuid;

use super::remote::Remote;

const BAR: &str = "{prefix} {wide_bar} {pos}/{len} {msg}";
const SPINNER: &str = "{prefix} {spinner} {pos} {msg}";
/// How often a bar moves that has nothing to show.
const TICK: Duration = Duration::from_millis(100);
/// Wait before something is followed again whose stream was cut off.
const AGAIN: Duration = Duration::from_secs(1);

/// What there is to see of it.
#[derive(Clone, PartialEq)]
pub struct Sight {
    pub what: String,
    pub state: String,
    pub percent: Option<i32>,
    pub message: String,
    pub done: i64,
    pub total: Option<i64>,
}

/// Long work that can be followed.
pub trait Watched: Sized {
    fn follow(remote: &Remote, id: Uuid) -> impl Stream<Item = Result<Self, FollowError>> + Send;

    fn sight(&self) -> Sight;
}

/// It as it was when it had ended.
pub async fn to_the_end<T: Watched>(remote: &Remote, id: Uuid) -> anyhow::Result<T> {
    let shown = Shown::new();
    let mut last: Option<T> = None;
    loop {
        let mut steps = std::pin::pin!(T::follow(remote, id));
        loop {
            match steps.try_next().await {
                Ok(Some(now)) => {
                    shown.update(now.sight(), last.as_ref().map(T::sight));
                    last = Some(now);
                }
                Ok(None) => {
                    shown.bar.finish_and_clear();
                    return last.ok_or_else(|| anyhow::anyhow!("the server said nothing of {id}"));
                }
                // A server or a proxy that goes away may be back; if not, asking again says so.
                Err(FollowError::Cut | FollowError::Connection(_)) => break,
                Err(FollowError::Request(error)) => return Err(remote.explained(*error)),
                Err(FollowError::ImportRequest(error)) => return Err(remote.explained(*error)),
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

    fn update(&self, now: Sight, before: Option<Sight>) {
        if self.bar.is_hidden() {
            // Not every object deserves a line.
            let told = |sight: Sight| Sight { done: 0, total: None, ..sight };
            if before.map(told) != Some(told(now.clone())) {
                let percent = now.percent.map(|percent| format!(" {percent} %"));
                let percent = percent.unwrap_or_default();
                eprintln!("{}: {}{percent} {}", now.what, now.state, now.message);
            }
            return;
        }
        let template = if now.total.is_some() { BAR } else { SPINNER };
        let style = ProgressStyle::with_template(template).expect("a template that is right");
        self.bar.set_style(style);
        self.bar.set_prefix(format!("{}: {}", now.what, now.state));
        self.bar.set_message(now.message);
        if let Some(total) = now.total {
            self.bar.set_length(total.max(now.done).unsigned_abs());
        }
        self.bar.set_position(now.done.unsigned_abs());
    }
}

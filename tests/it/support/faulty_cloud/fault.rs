//! What can go wrong, and with which requests.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::watch;

/// Which requests are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Put,
    Get,
    Head,
    Delete,
    List,
    /// What begins an upload in parts, goes on with it, and ends it.
    Begin,
    Part,
    Complete,
    Anything,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers 503 and reads nothing.
    Refuses,
    /// Answers 507, as who has no room left.
    Full,
    /// Accepts, and never answers. Nothing is read or done.
    Hangs,
    /// Takes the whole body, stores nothing and never answers.
    HangsAfterBody,
    /// Does as it is asked to, and never says so.
    SaysNothing,
    /// Breaks a download off after so many bytes.
    Cuts(usize),
    /// Never goes on with a download after so many bytes.
    Stalls(usize),
    /// Says that all is done, and does nothing.
    Lies,
    /// Stores, or sends, another byte than came.
    Corrupts,
    /// Stores, or sends, one byte less than came.
    Truncates,
    /// Waits for a test.
    Hold(Point, Gate),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Before,
    Body,
    Answer,
}

pub struct Rule {
    pub on: On,
    pub fault: Fault,
    /// How often it is still to happen.
    pub left: usize,
}

/// Where a request waits until a test has seen it and lets it go.
#[derive(Clone, Debug)]
pub struct Gate(Arc<(watch::Sender<bool>, watch::Sender<bool>)>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new((watch::Sender::new(false), watch::Sender::new(false))))
    }
}

impl Gate {
    /// Waits until a request has come here.
    pub async fn reached(&self) {
        self.0.0.subscribe().wait_for(|reached| *reached).await.expect("a gate");
    }

    pub fn open(&self) {
        self.0.1.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        self.0.0.send_replace(true);
        self.0.1.subscribe().wait_for(|open| *open).await.expect("a gate");
    }
}

pub fn with_another_byte(content: &Bytes) -> Bytes {
    let mut content = content.to_vec();
    let middle = content.len() / 2;
    if let Some(byte) = content.get_mut(middle) {
        *byte ^= 1;
    }
    content.into()
}

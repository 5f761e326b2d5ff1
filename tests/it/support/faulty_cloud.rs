//! Stands in for a cloud that speaks S3. It keeps objects in memory, takes any signature, and fails
//! exactly as it is told to: never by chance, and never by the clock.

mod answer;
mod fault;
mod line;
mod stored;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tokio::net::TcpListener;

pub use fault::{Fault, Gate, On};
use fault::{Point, Rule};
use line::Lines;
use stored::{Stored, Upload};

/// The piece of metadata that says which version a copy is of, as S3 spells it.
const MARK: &str = "x-amz-meta-repoplane-version";

#[derive(Clone)]
pub struct FaultyCloud {
    pub url: String,
    shared: Arc<Shared>,
}

/// What a cloud held once.
pub struct Moment(BTreeMap<String, Stored>);

#[derive(Default)]
struct Shared {
    objects: Mutex<BTreeMap<String, Stored>>,
    uploads: Mutex<BTreeMap<String, Upload>>,
    rules: Mutex<Vec<Rule>>,
    /// What is listed instead of what is there.
    listed: Mutex<Option<BTreeMap<String, Stored>>>,
    down: Arc<AtomicBool>,
    uploads_begun: AtomicUsize,
}

impl FaultyCloud {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        let lines = Lines { listener, down: shared.down.clone() };
        let answering = shared.clone();
        let handler = move |request: Request| -> futures::future::BoxFuture<'static, Response> {
            Box::pin(answer::answer(answering.clone(), request))
        };
        tokio::spawn(axum::serve(lines, Router::new().fallback(handler)).into_future());
        Self { url, shared }
    }

    /// Connections are dropped as soon as anything comes over them.
    pub fn fall(&self) {
        self.shared.down.store(true, Ordering::SeqCst);
    }

    /// Up again, and without a fault. Whoever waits at a gate goes on.
    pub fn recover(&self) {
        self.shared.down.store(false, Ordering::SeqCst);
        *locked(&self.shared.listed) = None;
        locked(&self.shared.rules).clear();
    }

    /// Fails so from now on.
    pub fn fail(&self, on: On, fault: Fault) {
        self.add(on, fault, usize::MAX);
    }

    /// Fails so the next `times` times.
    pub fn fail_times(&self, times: usize, on: On, fault: Fault) {
        self.add(on, fault, times);
    }

    /// Stops the next request of this kind before its body is read.
    pub fn hold_before(&self, on: On) -> Gate {
        self.hold(on, Point::Before)
    }

    /// Stops the next write when its whole body has come, but before it is stored.
    pub fn hold_body(&self, on: On) -> Gate {
        self.hold(on, Point::Body)
    }

    /// Stops the next request when it is done, but before it is answered.
    pub fn hold_answer(&self, on: On) -> Gate {
        self.hold(on, Point::Answer)
    }

    fn hold(&self, on: On, point: Point) -> Gate {
        let gate = Gate::default();
        self.add(on, Fault::Hold(point, gate.clone()), 1);
        gate
    }

    fn add(&self, on: On, fault: Fault, left: usize) {
        locked(&self.shared.rules).push(Rule { on, fault, left });
    }

    /// Lists from now on what is there now.
    pub fn list_only_this(&self) {
        *locked(&self.shared.listed) = Some(locked(&self.shared.objects).clone());
    }

    /// All that it holds.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = locked(&self.shared.objects);
        objects.iter().map(|(key, stored)| (key.clone(), stored.content.to_vec())).collect()
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        locked(&self.shared.objects).get(key).map(|stored| stored.content.to_vec())
    }

    /// Loses an object.
    pub fn lose(&self, key: &str) {
        locked(&self.shared.objects).remove(key).expect("an object to lose");
    }

    /// Puts another content where an object is, with the mark that is there or without it.
    pub fn swap(&self, key: &str, content: &[u8], with_mark: bool) {
        let mut objects = locked(&self.shared.objects);
        let before = objects.get(key).map(|stored| stored.headers.clone()).unwrap_or_default();
        let mut stored = Stored::new(content.to_vec().into(), before);
        if !with_mark {
            stored.headers.remove(MARK);
        }
        objects.insert(key.to_owned(), stored);
    }

    /// What it holds now, to [`Self::go_back`] to.
    pub fn now(&self) -> Moment {
        Moment(locked(&self.shared.objects).clone())
    }

    /// Forgets what was written since.
    pub fn go_back(&self, to: Moment) {
        *locked(&self.shared.objects) = to.0;
    }

    /// Changes one byte of what is stored; what is said of it stays as it was.
    pub fn rot(&self, key: &str) {
        let mut objects = locked(&self.shared.objects);
        let stored = objects.get_mut(key).expect("an object to damage");
        stored.content = fault::with_another_byte(&stored.content);
    }

    /// Loses the last byte of an object.
    pub fn shorten(&self, key: &str) {
        let mut objects = locked(&self.shared.objects);
        let stored = objects.get_mut(key).expect("an object to shorten");
        stored.content = stored.content.slice(..stored.content.len() - 1);
    }
}

/// What a cloud says of a content that came whole.
pub fn etag(content: &'static [u8]) -> String {
    Stored::new(content.into(), Default::default()).etag
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

//! A service account's key opens a bucket of Google's: by tokens, which are fetched when they are due.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use repoplane::backend::buckets::{Attributes, BucketError};
use repoplane::backend::egress::EgressError;

use super::{all, buckets, content, opened_by, probe_error, quiet};
use crate::support::service_account::ServiceAccount;

/// How long tokens are good for that are, and that are not worth keeping, in seconds.
const LASTING: u64 = 3_600;
const ENDING: u64 = 60;

/// What Google is asked, with which tokens.
type Asked = Arc<Mutex<Vec<String>>>;

/// A server that gives every request the same answer, and keeps their tokens.
async fn serve<A: IntoResponse>(
    answer: impl Fn(Request) -> A + Clone + Send + Sync + 'static,
) -> (String, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    let router = Router::new().fallback(move |request: Request| {
        let token = request.headers()["authorization"].to_str().expect("text").to_owned();
        kept.lock().expect("no panic").push(token);
        let answer = answer(request).into_response();
        async move { answer }
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), asked)
}

fn tokens(asked: &Asked) -> Vec<String> {
    asked.lock().expect("no panic").clone()
}

#[tokio::test]
async fn a_token_is_kept_as_long_as_it_is_good() {
    for (ttl, wanted) in [
        (LASTING, ["Bearer token-1"; 3]),
        (ENDING, ["Bearer token-1", "Bearer token-2", "Bearer token-3"]),
    ] {
        let (account, (endpoint, asked)) =
            (ServiceAccount::start(ttl).await, serve(|_| "{}").await);
        let target = opened_by(account.key(), &endpoint);
        let driver = buckets().open(&target).await.expect("a bucket");
        assert_eq!(account.granted(), 0);
        for _ in 0..3 {
            assert_eq!(driver.list("a", None, 1).await.expect("a list"), []);
        }
        assert_eq!(tokens(&asked), wanted);
    }
}

#[tokio::test]
async fn those_who_ask_at_once_share_a_token() {
    let (account, (endpoint, asked)) =
        (ServiceAccount::start(LASTING).await, serve(|_| "{}").await);
    let target = opened_by(account.key(), &endpoint);
    let driver = buckets().open(&target).await.expect("a bucket");
    let lists = (0..8).map(|_| driver.list("a", None, 1));
    futures::future::try_join_all(lists).await.expect("lists");
    assert_eq!((account.granted(), tokens(&asked).len()), (1, 8));
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_used_again() {
    let refuse = |request: Request| {
        let first = request.headers()["authorization"] == "Bearer token-1";
        (if first { StatusCode::UNAUTHORIZED } else { StatusCode::OK }, "{}")
    };
    let (account, (endpoint, asked)) = (ServiceAccount::start(LASTING).await, serve(refuse).await);
    let target = opened_by(account.key(), &endpoint);
    let driver = buckets().open(&target).await.expect("a bucket");
    let error = quiet(driver.list("a", None, 1).await.expect_err("a refusal"));
    assert!(matches!(error, BucketError::Credential), "{error:?}");
    driver.list("a", None, 1).await.expect("a list");
    assert_eq!(tokens(&asked), ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn a_wrong_key_neither_reads_nor_writes() {
    let (account, (endpoint, asked)) =
        (ServiceAccount::start(LASTING).await, serve(|_| "{}").await);
    let target = opened_by(account.wrong_key(), &endpoint);
    let error = probe_error(&buckets(), &target).await;
    assert!(matches!(error, BucketError::Credential), "{error:?}");
    let driver = buckets().open(&target).await.expect("a driver");
    let put = driver.put("a", 1, &Attributes::default(), content("a")).await;
    let get = driver.get("a", None).await.map(drop);
    for answer in [put.map(drop), get, driver.delete("a").await, driver.head().await] {
        let error = quiet(answer.expect_err("a wrong key"));
        assert!(matches!(error, BucketError::Credential), "{error:?}");
    }
    assert_eq!((account.granted(), tokens(&asked)), (0, vec![]));
}

#[tokio::test]
async fn what_an_account_may_not_do_is_said() {
    let account = ServiceAccount::start(LASTING).await;
    for (status, fits) in [
        (StatusCode::FORBIDDEN, (|error| matches!(error, BucketError::Forbidden)) as fn(&_) -> _),
        (StatusCode::NOT_FOUND, |error| matches!(error, BucketError::Missing)),
        (StatusCode::BAD_GATEWAY, |error| matches!(error, BucketError::Unexpected(_))),
    ] {
        // Google says some things in plain text.
        let (endpoint, _) = serve(move |_| (status, "said at length")).await;
        let driver = buckets().open(&opened_by(account.key(), &endpoint)).await.expect("a driver");
        let put = driver.put("a", 1, &Attributes::default(), content("a")).await;
        let get = driver.get("a", None).await.map(drop);
        let head = driver.head_object("a").await.map(drop);
        for answer in [put.map(drop), get, head, driver.delete("a").await, driver.head().await] {
            let error = quiet(answer.expect_err("a refusal"));
            assert!(fits(&error) && !error.to_string().contains("at length"), "{error:?}");
        }
    }
}

/// What is said about an object comes apart from its content, which may be another's by then.
#[tokio::test]
async fn an_object_and_what_is_said_about_it_are_of_one_time() {
    let account = ServiceAccount::start(LASTING).await;
    let writes = Arc::new(Mutex::new(0));
    let race = move |request: Request| {
        let mut written = writes.lock().expect("no panic");
        *written += 1;
        // Only what is asked after the second time is not replaced meanwhile.
        let generation = (*written).min(5) / 5;
        if request.uri().query() == Some("alt=media") {
            return ([("x-goog-generation", format!("{}", generation * 10))], "new")
                .into_response();
        }
        let said = if generation == 0 { "1" } else { "10" };
        format!("{{\"name\": \"a\", \"size\": \"3\", \"generation\": \"{said}\"}}").into_response()
    };
    let (endpoint, asked) = serve(race).await;
    let driver = buckets().open(&opened_by(account.key(), &endpoint)).await.expect("a driver");
    let fetched = driver.get("a", None).await.expect("an object");
    assert_eq!(fetched.object.etag, "10");
    assert_eq!(all(fetched).await, b"new");
    assert_eq!(tokens(&asked).len(), 6);

    let never = |request: Request| {
        if request.uri().query() == Some("alt=media") {
            return ([("x-goog-generation", "2")], "new").into_response();
        }
        r#"{"name": "a", "size": "3", "generation": "1"}"#.into_response()
    };
    let (endpoint, _) = serve(never).await;
    let driver = buckets().open(&opened_by(account.key(), &endpoint)).await.expect("a driver");
    let error = driver.get("a", None).await.err().expect("never the same");
    assert!(matches!(error, BucketError::Unexpected(_)), "{error:?}");
}

#[tokio::test]
async fn tokens_are_not_fetched_from_inside() {
    let mut account = ServiceAccount::start(LASTING).await;
    for (token_uri, wanted) in [
        ("http://169.254.169.254/token", EgressError::Metadata([169, 254, 169, 254].into())),
        ("https://10.0.0.1/token", EgressError::Internal([10, 0, 0, 1].into())),
    ] {
        account.token_uri = token_uri.to_owned();
        match probe_error(&buckets(), &opened_by(account.key(), "http://127.0.0.1:1")).await {
            BucketError::Refused(error) => assert_eq!(error, wanted),
            other => panic!("{token_uri}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_hands_out_no_tokens_is_found_out() {
    for (status, said) in [
        (StatusCode::OK, "<html/>"),
        (StatusCode::OK, r#"{"access_token": "a\nb", "expires_in": 1}"#),
        (StatusCode::INTERNAL_SERVER_ERROR, r#"{"error": "internal_failure"}"#),
        (StatusCode::TEMPORARY_REDIRECT, ""),
    ] {
        let mut account = ServiceAccount::start(LASTING).await;
        let router = Router::new().fallback(async move || (status, said));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        account.token_uri = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let error = probe_error(&buckets(), &opened_by(account.key(), "http://127.0.0.1:1")).await;
        assert!(matches!(error, BucketError::Unexpected(_)), "{error:?}");
    }
}

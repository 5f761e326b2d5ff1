//! Servers that are no object stores, or bad ones, are found out and cannot do harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use repoplane::backend::buckets::BucketError;
use repoplane::model::bucket::StorageType;

use super::{buckets, each_protocol, ping_error, probe_error, quiet, target};

#[tokio::test]
async fn redirects_are_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let elsewhere = serve(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        StatusCode::OK
    })
    .await;
    let location = format!("{elsewhere}/b");
    let endpoint =
        serve(move |_| (StatusCode::TEMPORARY_REDIRECT, [("location", location.clone())])).await;
    for target in each_protocol(&endpoint).await {
        for error in [probe_error(&buckets(), &target).await, ping_error(&buckets(), &target).await]
        {
            assert!(matches!(&error, BucketError::Unexpected(_)), "{error:?}");
            assert!(error.to_string().contains("307 Temporary Redirect"), "{error}");
        }
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_bucket_elsewhere_names_its_region() {
    let endpoint =
        serve(|_| (StatusCode::MOVED_PERMANENTLY, [("x-amz-bucket-region", "eu-west-1")])).await;
    let error = probe_error(&buckets(), &target(StorageType::S3, &endpoint)).await;
    assert!(
        matches!(&error, BucketError::Region(Some(region)) if region == "eu-west-1"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_website_is_no_bucket() {
    let endpoint = serve(|_| "<!DOCTYPE html><html><body>Welcome</body></html>").await;
    for target in each_protocol(&endpoint).await {
        let error = probe_error(&buckets(), &target).await;
        assert!(matches!(error, BucketError::Unexpected(_)), "{error:?}");
    }
}

/// An error page may well quote the request, and with it the signature.
#[tokio::test]
async fn what_a_server_quotes_is_not_passed_on() {
    let endpoint = serve(|request: Request| {
        let quoted = format!("{} {:?}", request.uri(), request.headers());
        let body = match request.headers().contains_key("authorization") {
            true => format!(r#"{{"error": {{"errors": [{{"reason": {quoted:?}}}]}}}}"#),
            false => format!("<Error><Code>{quoted}</Code><Region>{quoted}</Region></Error>"),
        };
        (StatusCode::BAD_REQUEST, [("x-ms-error-code", request.uri().to_string())], body)
    })
    .await;
    for target in each_protocol(&endpoint).await {
        for error in [probe_error(&buckets(), &target).await, ping_error(&buckets(), &target).await]
        {
            assert!(matches!(error, BucketError::Unexpected(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_list_that_does_not_go_on_ends() {
    let s3 = "<ListBucketResult><IsTruncated>true</IsTruncated>\
              <Contents><Key>a</Key><Size>0</Size></Contents></ListBucketResult>";
    let azure = "<EnumerationResults><Blobs/><NextMarker>again</NextMarker></EnumerationResults>";
    let google = r#"{"items": [], "nextPageToken": "again"}"#;
    for (protocol, page) in [s3, azure, google].into_iter().enumerate() {
        let endpoint = serve(move |_| page).await;
        let target = &each_protocol(&endpoint).await[protocol];
        let driver = buckets().open(target).await.expect("a bucket");
        let error = quiet(driver.list("", None, 10).await.expect_err("a bad list"));
        assert!(matches!(error, BucketError::Unexpected(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let endpoint = serve(|_| {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
        axum::body::Body::from_stream(chunks)
    })
    .await;
    for target in each_protocol(&endpoint).await {
        let error = probe_error(&buckets(), &target).await;
        assert!(matches!(error, BucketError::Unexpected(_)), "{error:?}");
    }
}

/// A server that gives every request the same answer.
async fn serve<A: IntoResponse>(
    answer: impl Fn(Request) -> A + Clone + Send + Sync + 'static,
) -> String {
    let router = Router::new().fallback(move |request: Request| {
        let answer = answer(request).into_response();
        async move { answer }
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

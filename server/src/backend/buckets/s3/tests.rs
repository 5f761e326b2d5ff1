//! What no peer shows: the addresses of the real clouds, and how others than the peers write lists.

use super::*;

fn place(storage_type: StorageType, bucket: &str, endpoint: Option<&str>) -> Place {
    let region = (storage_type == StorageType::S3).then(|| "eu-west-1".to_owned());
    Place {
        storage_type,
        bucket: bucket.to_owned(),
        endpoint: endpoint.map(str::to_owned),
        region,
        key: None,
    }
}

#[test]
fn the_bucket_is_where_its_cloud_wants_it() {
    use StorageType::{Gcs, S3};
    for (storage_type, name, endpoint, url) in [
        (S3, "b-1", None, "https://b-1.s3.eu-west-1.amazonaws.com/"),
        // No certificate of AWS fits two labels; no host name has upper case.
        (S3, "b.1", None, "https://s3.eu-west-1.amazonaws.com/b.1/"),
        (S3, "B_1", None, "https://s3.eu-west-1.amazonaws.com/B_1/"),
        (
            S3,
            "b",
            Some("https://s3.cn-north-1.amazonaws.com.cn"),
            "https://b.s3.cn-north-1.amazonaws.com.cn/",
        ),
        (S3, "b", Some("https://notamazonaws.com"), "https://notamazonaws.com/b/"),
        (S3, "b", Some("http://127.0.0.1:9000/s3?x=y#z"), "http://127.0.0.1:9000/s3/b/"),
        (Gcs, "b_1", None, "https://storage.googleapis.com/b_1/"),
    ] {
        let bucket = bucket(&place(storage_type, name, endpoint)).expect("a bucket");
        assert_eq!(bucket.base_url().as_str(), url);
    }
    assert_eq!(bucket(&place(Gcs, "b", None)).expect("a bucket").region(), "auto");
}

#[test]
fn a_bucket_is_no_way_to_another_place() {
    for name in ["", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "a b", "a@b"] {
        assert!(bucket(&place(StorageType::S3, name, None)).is_err(), "{name:?}");
    }
    for region in ["a/b", "a@b", "a?", ".."] {
        let mut place = place(StorageType::S3, "b", None);
        place.region = Some(region.to_owned());
        assert!(bucket(&place).is_err(), "{region}");
    }
    for endpoint in ["host", "host:9000", "ftp://host", "https://", "data:x"] {
        let answer = bucket(&place(StorageType::S3, "b", Some(endpoint)));
        assert!(matches!(answer, Err(BucketError::Place(_))), "{endpoint}: {answer:?}");
    }
}

#[test]
fn credentials_in_an_endpoint_are_refused_not_dropped() {
    let answer = bucket(&place(StorageType::S3, "b", Some("https://user:word@host")));
    assert!(matches!(answer, Err(BucketError::Refused(EgressError::Credentials))), "{answer:?}");
}

#[test]
fn lists_of_all_namespaces_and_encodings_are_read() {
    let contents =
        "<Contents><Key>a+b%2B%C3%A9</Key><Size>3</Size><ETag>&quot;e&quot;</ETag></Contents>";
    let keys = |text: &str| -> Vec<String> {
        let page = Page::parse(text.as_bytes()).expect("a list");
        page.objects.into_iter().map(|object| object.key).collect()
    };
    for namespace in ["", " xmlns=\"http://doc.s3.amazonaws.com/2006-03-01\""] {
        let head = format!("<?xml version=\"1.0\"?><ListBucketResult{namespace}>");
        let encoded =
            format!("{head}<EncodingType>url</EncodingType>{contents}</ListBucketResult>");
        assert_eq!(keys(&encoded), ["a b+\u{e9}"]);
        assert_eq!(keys(&format!("{head}{contents}</ListBucketResult>")), ["a+b%2B%C3%A9"]);
    }
}

#[test]
fn what_is_no_list_is_not_an_empty_one() {
    for body in ["", "{}", "<html></html>", "<Error><Code>c</Code></Error>", "<ListBucketResult>"] {
        assert!(matches!(Page::parse(body.as_bytes()), Err(BucketError::Unexpected(_))), "{body}");
    }
}

"""Who asks, and when: signatures in headers and in URLs."""

import urllib.request
from datetime import datetime, timedelta, timezone
from urllib.error import HTTPError

import boto3
from botocore.credentials import Credentials

from .case import Answer, ENDPOINT, KEY, case, raw, rows, s3, wire


@case
def that_are_not_there(bucket):
    assert raw("GET", f"/{bucket.name}", sign=False).refusal == (403, "AccessDenied")
    assert raw("PUT", f"/{bucket.name}/a", b"x", sign=False).refusal == (403, "AccessDenied")
    assert raw("GET", "/", sign=False).refusal == (403, "AccessDenied")


@case
def of_a_key_that_there_is_not(bucket):
    nobody = Credentials("AKIANOBODY", KEY.secret_key)
    assert raw("GET", f"/{bucket.name}", key=nobody).refusal == (403, "InvalidAccessKeyId")


@case
def of_another_secret(bucket):
    wrong = Credentials(KEY.access_key, KEY.secret_key[:-1] + "!")
    assert raw("GET", f"/{bucket.name}", key=wrong).refusal == (403, "SignatureDoesNotMatch")


@rows(
    ("", (400, "AuthorizationHeaderMalformed")),
    ("x", (400, "AuthorizationHeaderMalformed")),
    ("AWS4-HMAC-SHA256 x", (400, "AuthorizationHeaderMalformed")),
    ("AWS4-HMAC-SHA256 Credential=x", (400, "AuthorizationHeaderMalformed")),
    ("AWS key:signature", (400, "InvalidRequest")),
    ("Bearer x", (400, "InvalidArgument")),
)
def in_headers_that_are_none(bucket, header, refusal):
    assert raw("GET", f"/{bucket.name}", later_Authorization=header).refusal == refusal


@rows("x-amz-date", "x-amz-content-sha256", "authorization")
def from_which_a_header_is_gone(bucket, header):
    assert raw("GET", f"/{bucket.name}", without=[header]).status in [400, 403]


@rows("x-amz-meta-a", "x-amz-acl", "x-amz-copy-source", "x-amz-tagging")
def do_not_cover_what_is_added(bucket, header):
    answer = raw("PUT", f"/{bucket.name}/a", b"x", **{f"later_{header.replace('-', '_')}": "x"})
    assert answer.refusal == (403, "AccessDenied") and bucket.keys() == []


@rows(-20, 20)
def of_another_time(bucket, minutes):
    import botocore.auth

    told = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *more: told(*more) + timedelta(minutes=minutes)
    try:
        answer = raw("GET", f"/{bucket.name}")
    finally:
        botocore.auth.get_current_datetime = told
    assert answer.refusal == (403, "RequestTimeTooSkewed"), answer.body


@rows("eu-central-1", "auto", "local")
def of_any_region(bucket, region):
    assert boto3.client("s3", region_name=region).list_objects_v2(Bucket=bucket.name)["KeyCount"] == 0


def url(call, seconds=60, **more):
    return s3.generate_presigned_url(call, Params=more, ExpiresIn=seconds)


def ask(method, url, body=b"", **headers):
    path = url.removeprefix(ENDPOINT)
    host = ENDPOINT.removeprefix("http://")
    return wire(method, path, body, headers)


@case
def in_urls(bucket):
    about = {"Bucket": bucket.name, "Key": "a b+ü"}
    assert ask("PUT", url("put_object", **about), b"content").status == 200
    assert ask("GET", url("get_object", **about)).body == b"content"
    assert ask("HEAD", url("head_object", **about)).status == 200
    assert ask("GET", url("list_objects_v2", Bucket=bucket.name)).status == 200
    assert ask("DELETE", url("delete_object", **about)).status == 204
    assert ask("GET", url("get_object", **about)).refusal == (404, "NoSuchKey")


@rows(
    ("GET", {}, (403, "SignatureDoesNotMatch")),
    ("PUT", {"x-amz-meta-a": "1"}, (403, "AccessDenied")),
    ("PUT", {"x-amz-acl": "private"}, (403, "AccessDenied")),
)
def in_urls_hold_for_what_they_say(bucket, method, headers, refusal):
    signed = url("put_object", Bucket=bucket.name, Key="a")
    assert ask(method, signed, **headers).refusal == refusal
    assert bucket.keys() == []


@rows(
    ("Expires=60", "Expires=604801", (400, "AuthorizationQueryParametersError")),
    ("Expires=60", "Expires=x", (400, "AuthorizationQueryParametersError")),
    ("Expires=60", "Expires=61", (403, "SignatureDoesNotMatch")),
    ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", (400, "AuthorizationQueryParametersError")),
    ("X-Amz-Date", "X-Amz-Dote", (400, "AuthorizationQueryParametersError")),
    ("/a?", "/b?", (403, "SignatureDoesNotMatch")),
)
def in_urls_that_somebody_changed(bucket, old, new, refusal):
    bucket.fill("a", "b")
    signed = url("get_object", Bucket=bucket.name, Key="a")
    assert old in signed
    assert ask("GET", signed.replace(old, new)).refusal == refusal


@case
def in_urls_end(bucket):
    import botocore.auth

    bucket.fill("a")
    told = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *more: told(*more) - timedelta(minutes=2)
    try:
        signed = url("get_object", Bucket=bucket.name, Key="a")
    finally:
        botocore.auth.get_current_datetime = told
    assert ask("GET", signed).refusal == (403, "AccessDenied")

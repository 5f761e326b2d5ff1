"""Drives the gateway with boto3 and its settings as they come, unchanged."""

import base64
import io
import os
import socket
import zlib
from urllib.error import HTTPError
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from stage import BUCKET, MIB, content, end, gone, held, holds, http, keys

s3 = boto3.client("s3")


def refused(call, status, code, **arguments):
    try:
        call(**arguments)
    except ClientError as refusal:
        answer = refusal.response
        found = (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"])
        assert found == (status, code), f"{arguments}: {answer}"
    else:
        raise AssertionError(f"{arguments} is not refused")


def put(key, data, **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=holds(key, data), **more)


def read(key, **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read()


def objects():
    metadata = {"one": "1", "with-dash": "a, b"}
    put("one", b"content", ContentType="text/plain", CacheControl="no-store", Metadata=metadata)
    head = s3.head_object(Bucket=BUCKET, Key="one")
    assert (head["ContentLength"], head["ContentType"]) == (7, "text/plain"), head
    assert (head["CacheControl"], head["Metadata"]) == ("no-store", metadata), head
    assert read("one") == b"content"
    for asked, part in [("bytes=0-0", b"c"), ("bytes=3-", b"tent"), ("bytes=-3", b"ent")]:
        assert read("one", Range=asked) == part, asked
    refused(s3.get_object, 416, "InvalidRange", Bucket=BUCKET, Key="one", Range="bytes=7-8")
    refused(s3.get_object, 404, "NoSuchKey", Bucket=BUCKET, Key="none")
    refused(s3.head_object, 404, "404", Bucket=BUCKET, Key="none")
    put("empty", b"")
    assert read("empty") == b""
    s3.copy_object(Bucket=BUCKET, Key="dir/copied", CopySource={"Bucket": BUCKET, "Key": "one"})
    assert read(holds_as("one", "dir/copied")) == b"content"
    put("gone", b"gone")
    gone("gone")
    assert s3.delete_object(Bucket=BUCKET, Key="gone")["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(s3.get_object, 404, "NoSuchKey", Bucket=BUCKET, Key="gone")


def holds_as(source, key):
    holds(key, held(source))
    return key


def lists():
    names = [f"list/{folder}/{number:03}" for folder in ["a", "b c", "ü"] for number in range(25)]
    for name in names:
        put(name, name.encode())
    for kind in ["list_objects", "list_objects_v2", "list_object_versions"]:
        pages = s3.get_paginator(kind)
        size = {"PageSize": 10}
        found = [item["Key"] for page in pages.paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig=size)
                 for item in page.get("Contents", page.get("Versions", []))]
        assert found == sorted(names), kind
        asked = {"Bucket": BUCKET, "Prefix": "list/", "Delimiter": "/"}
        folders = [item["Prefix"] for page in pages.paginate(**asked, PaginationConfig={"PageSize": 2})
                   for item in page.get("CommonPrefixes", [])]
        assert folders == ["list/a/", "list/b c/", "list/ü/"], kind
    doomed = [{"Key": key} for key in keys("list/a/")] + [{"Key": "list/none"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": doomed})
    assert len(answer["Deleted"]) == 26 and "Errors" not in answer, answer
    for key in keys("list/a/"):
        gone(key)
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/")
    assert [item["Key"] for item in listed["Contents"]] == keys("list/")


def in_parts():
    data = holds("large", content(64 * MIB, "large"))
    s3.upload_fileobj(io.BytesIO(data), BUCKET, "large")
    head = s3.head_object(Bucket=BUCKET, Key="large")
    assert head["ContentLength"] == len(data) and head["ETag"].endswith('-8"'), head
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "large", back)
    assert back.getvalue() == data
    s3.copy({"Bucket": BUCKET, "Key": "large"}, BUCKET, "copied large")
    assert read(holds_as("large", "copied large")) == data
    assert read("large", PartNumber=3) == data[16 * MIB:24 * MIB]


def conditions():
    etag = put("once", b"first", IfNoneMatch="*")["ETag"]
    again = {"Bucket": BUCKET, "Key": "once", "Body": b"second"}
    refused(s3.put_object, 412, "PreconditionFailed", **again, IfNoneMatch="*")
    refused(s3.put_object, 412, "PreconditionFailed", **again, IfMatch='"0123"')
    put("once", b"second", IfMatch=etag)
    refused(s3.put_object, 404, "NoSuchKey", Bucket=BUCKET, Key="none", Body=b"", IfMatch=etag)
    refused(s3.delete_object, 412, "PreconditionFailed", Bucket=BUCKET, Key="once", IfMatch=etag)
    refused(s3.get_object, 412, "PreconditionFailed", Bucket=BUCKET, Key="once", IfMatch=etag)
    now = s3.head_object(Bucket=BUCKET, Key="once")["ETag"]
    refused(s3.get_object, 304, "304", Bucket=BUCKET, Key="once", IfNoneMatch=now)
    assert read("once", IfNoneMatch=etag) == b"second"


def checksums():
    crc32 = base64.b64encode(zlib.crc32(b"content").to_bytes(4, "big")).decode()
    for kind in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        if kind in ["CRC32C", "CRC64NVME"]:
            # boto3 computes these two only with another library beside it.
            known = {"CRC32C": "Ya91Mw==", "CRC64NVME": "lhVdXyVQTGE="}[kind]
            put(f"sum/{kind}", b"content", **{f"Checksum{kind}": known})
        else:
            put(f"sum/{kind}", b"content", ChecksumAlgorithm=kind)
        asked = {"Bucket": BUCKET, "Key": f"sum/{kind}"}
        head = s3.head_object(**asked, ChecksumMode="ENABLED")
        told = s3.get_object_attributes(**asked, ObjectAttributes=["Checksum", "ObjectSize", "ETag"])
        assert told["Checksum"][f"Checksum{kind}"] == head[f"Checksum{kind}"], told
        assert (told["ObjectSize"], f'"{told["ETag"]}"') == (7, head["ETag"]), told
        assert kind != "CRC32" or head["ChecksumCRC32"] == crc32
    wrong = {"Bucket": BUCKET, "Key": "none", "Body": b"c0ntent", "ChecksumCRC32": crc32}
    refused(s3.put_object, 400, "BadDigest", **wrong)
    refused(s3.head_object, 404, "404", Bucket=BUCKET, Key="none")


def presigned(client):
    def url(call, **more):
        return client.generate_presigned_url(call, Params={"Bucket": BUCKET, **more}, ExpiresIn=60)

    http("PUT", url("put_object", Key="pre signed"), holds("pre signed", b"from a URL"))
    assert http("GET", url("get_object", Key="pre signed")) == b"from a URL"
    kind = url("get_object", Key="pre signed", ResponseContentType="text/x")
    assert http("GET", kind) == b"from a URL"
    http("PUT", url("put_object", Key="doomed", ContentType="text/x"), b"x", content_type="text/x")
    http("DELETE", url("delete_object", Key="doomed"))
    try:
        http("GET", url("get_object", Key="doomed"))
    except HTTPError as refusal:
        assert refusal.code == 404 and b"NoSuchKey" in refusal.read()


def in_the_host():
    """The bucket in front of the gateway's domain; names below localhost need no server of names."""
    resolve = socket.getaddrinfo

    def resolved(host, *more, **named):
        return resolve("127.0.0.1" if host.endswith(".localhost") else host, *more, **named)

    socket.getaddrinfo = resolved
    port = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port
    style = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    client = boto3.client("s3", endpoint_url=f"http://localhost:{port}", config=style)
    client.put_object(Bucket=BUCKET, Key="in/the host", Body=holds("in/the host", b"content"))
    assert client.get_object(Bucket=BUCKET, Key="in/the host")["Body"].read() == b"content"
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "in/the host"})
    assert url.startswith(f"http://{BUCKET}.localhost:{port}/"), url
    assert http("GET", url) == b"content"
    assert client.list_objects_v2(Bucket=BUCKET, Prefix="in/")["KeyCount"] == 1
    assert BUCKET in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def many_at_once():
    """Whoever reads while an object is replaced gets one of its states, whole."""
    from concurrent.futures import ThreadPoolExecutor

    states = [content(300_000, state) for state in range(4)]
    put("busy", states[0])

    def write(number):
        s3.put_object(Bucket=BUCKET, Key="busy", Body=states[number % 4])

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, number) for number in range(16)]
        reads = [pool.submit(read, "busy") for _ in range(32)]
        assert all(found.result() in states for found in reads)
        assert all(written.result() is None for written in writes)
    put("busy", states[1])


for step in [objects, lists, in_parts, conditions, checksums, in_the_host, many_at_once]:
    step()
presigned(boto3.client("s3", config=Config(signature_version="s3v4")))
end()

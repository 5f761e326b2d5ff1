"""Objects: names, what is said about them, ranges, and digests of contents."""

import base64
import hashlib

from .case import KEY, case, raw, refused, rows, s3


@rows(" ", "  a  b ", "+", "a+b c", "%", "%41", "%2F", "a//b", "/a", "a/", "//", "..", "a/../b", "./a",
      "?", "a?b=c&d", "#", "&amp;", "<b>'\"", "ünïcödé/日本語", "\U0001f600", "u\u0308", "_", "-",
      "\x7f", "a\nb\tc\r", "\x01", "x" * 1024, "ü" * 512, "a:b;c@d,e=f$g!h*i(j)k~l|m\\n^o`p{q}r[s]")
def of_any_name(bucket, key):
    bucket.put(key, key.encode())
    assert bucket.read(key) == key.encode()
    assert bucket.head_object(Key=key)["ContentLength"] == len(key.encode())
    assert bucket.keys() == [key]
    source = {"Bucket": bucket.name, "Key": key}
    bucket.copy_object(Key="copy", CopySource=source)
    assert bucket.read("copy") == key.encode()
    bucket.delete_object(Key=key)
    bucket.is_absent(key)
    bucket.delete_object(Key="copy")
    assert bucket.keys() == []


@rows("x" * 1025, "ü" * 513)
def with_names_that_are_too_long(bucket, key):
    refused(400, "KeyTooLongError", bucket.put_object, Key=key, Body=b"")


@rows(
    ("bytes=0-0", b"0", "0-0"),
    ("bytes=4-7", b"4567", "4-7"),
    ("bytes=4-", b"456789", "4-9"),
    ("bytes=-4", b"6789", "6-9"),
    ("bytes=-400", b"0123456789", "0-9"),
    ("bytes=4-400", b"456789", "4-9"),
    ("bytes=0-9", b"0123456789", "0-9"),
)
def in_a_range(bucket, asked, part, told):
    bucket.put("a", b"0123456789")
    found = bucket.get_object(Key="a", Range=asked)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (found["Body"].read(), found["ContentRange"]) == (part, f"bytes {told}/10")
    head = bucket.head_object(Key="a", Range=asked)
    assert (head["ContentLength"], head["ContentRange"]) == (len(part), f"bytes {told}/10")


@rows("bytes=10-", "bytes=10-11", "bytes=-0", "bytes=400-500")
def in_a_range_that_is_not_there(bucket, asked):
    bucket.put("a", b"0123456789")
    refused(416, "InvalidRange", bucket.get_object, Key="a", Range=asked)
    refused(416, "416", bucket.head_object, Key="a", Range=asked)


@rows("bytes=4-2", "bytes=x-y", "chars=1-2", "bytes=", "bytes=1-2,4-5")
def in_what_is_no_range(bucket, asked):
    bucket.put("a", b"0123456789")
    found = bucket.get_object(Key="a", Range=asked)
    assert found["Body"].read() == b"0123456789" and "ContentRange" not in found


@case
def in_a_range_of_nothing(bucket):
    bucket.put("a", b"")
    refused(416, "InvalidRange", bucket.get_object, Key="a", Range="bytes=0-")
    assert bucket.read("a") == b""


@case
def say_what_they_were_said_to_be(bucket):
    said = {"CacheControl": "max-age=1", "ContentDisposition": "attachment; filename=\"ü.txt\"".replace("ü", "u"),
            "ContentEncoding": "gzip", "ContentLanguage": "de", "ContentType": "text/x; a=\"b\"",
            "Metadata": {"a": "1", "with-dash": "x  y", "empty": ""}}
    bucket.put("a", **said)
    for found in [bucket.get_object(Key="a"), bucket.head_object(Key="a")]:
        assert {name: found.get(name) for name in said} == said
    bucket.put("a")
    found = bucket.head_object(Key="a")
    assert found["Metadata"] == {} and found["ContentType"] == "binary/octet-stream"
    assert "CacheControl" not in found and "ContentEncoding" not in found


@case
def say_what_the_reader_wants_them_to(bucket):
    bucket.put("a", ContentType="text/x")
    wanted = {"ResponseCacheControl": "no-cache", "ResponseContentDisposition": "bla",
              "ResponseContentEncoding": "aaa", "ResponseContentLanguage": "esperanto",
              "ResponseContentType": "foo/bar"}
    found = bucket.get_object(Key="a", **wanted)
    assert {name: found[name.removeprefix("Response")] for name in wanted} == wanted


@case
def with_names_of_metadata_in_capitals(bucket):
    bucket.put("a", Metadata={"CamelCase": "Value"})
    assert bucket.head_object(Key="a")["Metadata"] == {"camelcase": "Value"}


@rows("grün", "日本語", "\u00e9" * 100)
def with_metadata_that_is_not_ascii(bucket, text):
    sent = raw("PUT", f"/{bucket.name}/a", b"", x_amz_meta_a=text)
    assert sent.status == 200, sent.body
    from email.header import decode_header

    words = decode_header(bucket.head_object(Key="a")["Metadata"]["a"])
    assert "".join(word.decode(charset) for word, charset in words) == text


@rows((1_995, None), (1_996, "MetadataTooLarge"), (2_049, "MetadataTooLarge"))
def with_metadata_up_to_2_kib(bucket, size, code):
    """What copies are known by is kept beside it, and counts for a cloud, too."""
    sent = raw("PUT", f"/{bucket.name}/a", b"", x_amz_meta_a="x" * (size - 1))
    assert sent.refusal == ((400, code) if code else (200, None)), sent.body


@rows(
    (base64.b64encode(hashlib.md5(b"content").digest()).decode(), (200, None)),
    (base64.b64encode(hashlib.md5(b"other").digest()).decode(), (400, "BadDigest")),
    ("YWJyYWNhZGFicmE=", (400, "InvalidDigest")),
    ("rL0Y20", (400, "InvalidDigest")),
    ("-", (400, "InvalidDigest")),
    ("", (400, "InvalidDigest")),
)
def with_an_md5(bucket, digest, expected):
    assert raw("PUT", f"/{bucket.name}/a", b"content", content_md5=digest).refusal == expected
    assert bucket.keys() == (["a"] if expected[0] == 200 else [])


@rows(("0" * 64, (400, "XAmzContentSHA256Mismatch")), ("UNSIGNED-PAYLOAD", (200, None)),
      ("x", (400, "InvalidArgument")))
def with_a_sha256(bucket, digest, expected):
    answer = raw("PUT", f"/{bucket.name}/a", b"content", x_amz_content_sha256=digest)
    assert answer.refusal == expected, answer.body


@rows(("-1", 400), ("x", 400), ("", 400))
def with_a_length_that_is_none(bucket, length, status):
    assert raw("PUT", f"/{bucket.name}/a", later_content_length=length).status == status


@case
def without_a_length(bucket):
    answer = raw("PUT", f"/{bucket.name}/a", b"0\r\n\r\n", x_amz_content_sha256="UNSIGNED-PAYLOAD",
                 later_content_length=None, later_transfer_encoding="chunked")
    assert answer.refusal == (411, "MissingContentLength")


@case
def that_a_client_does_not_expect_to_be_refused(bucket):
    answer = raw("PUT", f"/{bucket.name}/a", b"content", later_expect="")
    assert answer.status in [200, 400, 417], answer.body


@rows("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
def with_a_checksum(bucket, kind):
    known = {"CRC32": "/sUwqQ==", "CRC32C": "Ya91Mw==", "CRC64NVME": "lhVdXyVQTGE=",
             "SHA1": "BA8G/XdAkkeNRQd09bowxdp4rMg=",
             "SHA256": "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M="}[kind]
    name = f"Checksum{kind}"
    refused(400, "BadDigest", bucket.put_object, Key="a", Body=b"c0ntent", **{name: known})
    refused(400, "InvalidRequest", bucket.put_object, Key="a", Body=b"content", **{name: "bad"})
    assert bucket.keys() == []
    assert bucket.put("a", **{name: known})[name] == known
    assert name not in bucket.head_object(Key="a")
    head = bucket.head_object(Key="a", ChecksumMode="ENABLED")
    assert (head[name], head["ChecksumType"]) == (known, "FULL_OBJECT")
    assert bucket.get_object(Key="a", ChecksumMode="ENABLED")[name] == known
    listed = bucket.list_objects_v2()["Contents"][0]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ([kind], "FULL_OBJECT")


@case
def know_their_etag(bucket):
    assert bucket.put("a")["ETag"].strip('"') == hashlib.md5(b"content").hexdigest()


@case
def are_not_there_before_they_are(bucket):
    bucket.is_absent("a")
    refused(404, "404", bucket.head_object, Key="a")
    refused(404, "NoSuchBucket", s3.get_object, Bucket="no-such-bucket", Key="a")
    refused(404, "NoSuchBucket", s3.put_object, Bucket="no-such-bucket", Key="a", Body=b"")
    refused(404, "NoSuchVersion", bucket.get_object, Key="a", VersionId="other")
    bucket.put("a")
    assert bucket.read("a", VersionId="null") == b"content"
    assert KEY

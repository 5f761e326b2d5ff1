"""Parts and uploads: what is listed of them, copied into them, and their checksums."""

import base64
import hashlib
import zlib

from .case import case, raw, refused, rows
from .parts import PART, Upload


@case
def are_listed(bucket):
    upload = Upload(bucket)
    for number in [1, 2, 5]:
        upload.send(number, b"x" * number)
    told = bucket.list_parts(**upload.about)
    assert [(part["PartNumber"], part["Size"]) for part in told["Parts"]] == [(1, 1), (2, 2), (5, 5)]
    assert [part["ETag"] for part in told["Parts"]] == [upload.parts[number]["ETag"] for number in [1, 2, 5]]
    assert told["IsTruncated"] is False and told["Owner"] == told["Initiator"] or told["Initiator"]
    page = bucket.list_parts(**upload.about, MaxParts=2)
    assert page["IsTruncated"] and page["NextPartNumberMarker"] == 2
    page = bucket.list_parts(**upload.about, MaxParts=2, PartNumberMarker=2)
    assert [part["PartNumber"] for part in page["Parts"]] == [5] and not page["IsTruncated"]
    assert "Parts" not in bucket.list_parts(**upload.about, PartNumberMarker=5)


def listed(page):
    return [(found["Key"], found["UploadId"]) for found in page.get("Uploads", [])]


@case
def of_many_uploads_are_listed(bucket):
    uploads = [Upload(bucket, key) for key in ["a", "a", "dir/b", "dir/c", "z"]]
    all_of_them = {(upload.about["Key"], upload.id) for upload in uploads}
    page = bucket.list_multipart_uploads()
    assert set(listed(page)) == all_of_them and not page["IsTruncated"]
    assert [key for key, _ in listed(page)] == ["a", "a", "dir/b", "dir/c", "z"]
    page = bucket.list_multipart_uploads(Delimiter="/")
    assert [key for key, _ in listed(page)] == ["a", "a", "z"]
    assert page["CommonPrefixes"] == [{"Prefix": "dir/"}]
    assert len(listed(bucket.list_multipart_uploads(Prefix="dir/"))) == 2
    found, asked = [], {"MaxUploads": 2}
    while True:
        page = bucket.list_multipart_uploads(**asked)
        found += listed(page)
        if not page["IsTruncated"]:
            break
        asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert set(found) == all_of_them and len(found) == 5
    assert [key for key, _ in listed(bucket.list_multipart_uploads(KeyMarker="a"))] == ["dir/b", "dir/c", "z"]
    for upload in uploads:
        upload.abort()
    assert listed(bucket.list_multipart_uploads()) == []


@case
def are_copied_from_objects(bucket):
    content = bytes(range(256)) * (PART // 256) * 2
    bucket.put("from", content)
    upload = Upload(bucket, "to")
    upload.copy(1, "from", CopySourceRange=f"bytes=0-{PART - 1}")
    upload.copy(2, "from")
    upload.send(3, b"end")
    upload.complete()
    assert bucket.read("to") == content[:PART] + content + b"end"


@rows(
    ("bytes=0-7", (400, "InvalidRequest"), (416, "InvalidRange"), (400, "InvalidArgument")),
    ("bytes=3-1", (400, "InvalidArgument"),),
    ("bytes=0", (400, "InvalidArgument"),),
    ("0-3", (400, "InvalidArgument"),),
    ("bytes=0-", (400, "InvalidArgument"),),
    ("bytes=-3", (400, "InvalidArgument"),),
)
def are_not_copied_from_ranges_that_are_not_there(bucket, words, *refusals):
    bucket.put("from", b"content")
    upload = Upload(bucket, "to")
    path = f"/{bucket.name}/to?partNumber=1&uploadId={upload.id}"
    answer = raw("PUT", path, x_amz_copy_source=f"{bucket.name}/from", x_amz_copy_source_range=words)
    assert answer.refusal in refusals, answer.refusal


@case
def are_not_copied_from_what_is_not_there(bucket):
    upload = Upload(bucket)
    refused(404, "NoSuchKey", upload.copy, number=1, source="none")


@case
def are_copied_under_conditions(bucket):
    etag = bucket.put("from")["ETag"]
    upload = Upload(bucket, "to")
    refused(412, "PreconditionFailed", upload.copy, number=1, source="from", CopySourceIfNoneMatch=etag)
    upload.copy(1, "from", CopySourceIfMatch=etag)
    upload.complete()
    assert bucket.read("to") == b"content"


def sha256(content):
    return hashlib.sha256(content).digest()


@case
def have_a_checksum_of_their_checksums(bucket):
    upload = Upload(bucket, ChecksumAlgorithm="SHA256")
    contents = [b"a" * PART, b"b"]
    for number, content in enumerate(contents, start=1):
        sent = upload.send(number, content, ChecksumAlgorithm="SHA256")
        assert sent["ChecksumSHA256"] == base64.b64encode(sha256(content)).decode()
    made = upload.complete()
    whole = base64.b64encode(sha256(b"".join(map(sha256, contents)))).decode() + "-2"
    assert (made["ChecksumSHA256"], made["ChecksumType"]) == (whole, "COMPOSITE")
    head = bucket.head_object(Key="a", ChecksumMode="ENABLED")
    assert (head["ChecksumSHA256"], head["ChecksumType"]) == (whole, "COMPOSITE")
    told = bucket.get_object_attributes(Key="a", ObjectAttributes=["ObjectParts", "Checksum", "ObjectSize"])
    assert told["ObjectSize"] == PART + 1 and told["ObjectParts"]["TotalPartsCount"] == 2
    sizes = [(part["PartNumber"], part["Size"]) for part in told["ObjectParts"]["Parts"]]
    assert sizes == [(1, PART), (2, 1)], told


@case
def have_a_checksum_of_the_whole(bucket):
    upload = Upload(bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    contents = [b"a" * PART, b"b"]
    for number, content in enumerate(contents, start=1):
        upload.send(number, content, ChecksumAlgorithm="CRC32")
    whole = base64.b64encode(zlib.crc32(b"".join(contents)).to_bytes(4, "big")).decode()
    upload.refused(400, "BadDigest", ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
    made = upload.complete(ChecksumCRC32=whole, ChecksumType="FULL_OBJECT")
    assert (made["ChecksumCRC32"], made["ChecksumType"]) == (whole, "FULL_OBJECT")


@case
def of_another_content_than_they_are_said_to_be(bucket):
    upload = Upload(bucket)
    path = f"/{bucket.name}/a?partNumber=1&uploadId={upload.id}"
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert raw("PUT", path, b"content", content_md5=other).refusal == (400, "BadDigest")
    answer = raw("PUT", path, b"content", x_amz_checksum_crc32="AAAAAA==")
    assert answer.refusal == (400, "BadDigest")
    assert "Parts" not in bucket.list_parts(**upload.about)


@rows(("SHA256", "FULL_OBJECT"), ("SHA1", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"))
def have_no_checksum_of_such_a_kind(bucket, algorithm, kind):
    asked = {"Key": "a", "ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    refused(400, "InvalidRequest", bucket.create_multipart_upload, **asked)

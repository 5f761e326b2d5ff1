"""Objects that come in parts."""

import hashlib

from .case import MIB, case, raw, refused, rows
from .conditions import FUTURE, OTHER, at_once

PART = 5 * MIB


class Upload:
    def __init__(self, bucket, key="a", **more):
        self.bucket = bucket
        self.id = bucket.create_multipart_upload(Key=key, **more)["UploadId"]
        self.about = {"Key": key, "UploadId": self.id}
        self.parts = {}

    def send(self, number, content, **more):
        sent = self.bucket.upload_part(**self.about, PartNumber=number, Body=content, **more)
        self.parts[number] = {"PartNumber": number, "ETag": sent["ETag"]}
        self.parts[number] |= {name: sent[name] for name in sent if name in ["ChecksumSHA256", "ChecksumCRC32"]}
        return sent

    def copy(self, number, source, **more):
        source = {"Bucket": self.bucket.name, "Key": source}
        sent = self.bucket.upload_part_copy(**self.about, PartNumber=number, CopySource=source, **more)
        self.parts[number] = {"PartNumber": number, "ETag": sent["CopyPartResult"]["ETag"]}

    def complete(self, parts=None, **more):
        parts = [self.parts[number] for number in sorted(self.parts)] if parts is None else parts
        whole = {"MultipartUpload": {"Parts": parts}}
        return self.bucket.complete_multipart_upload(**self.about, **whole, **more)

    def refused(self, status, code, parts=None, **more):
        refused(status, code, lambda: self.complete(parts, **more))

    def abort(self):
        return self.bucket.abort_multipart_upload(**self.about)


@rows([10], [PART, 1], [PART, PART + 1, 3], [PART, PART, 0])
def become_one(bucket, sizes):
    upload = Upload(bucket, ContentType="text/a", Metadata={"a": "1"}, Tagging="t=1")
    contents = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    for number, content in enumerate(contents, start=1):
        upload.send(number, content)
    assert bucket.keys() == []
    made = upload.complete()
    digests = b"".join(hashlib.md5(content).digest() for content in contents)
    assert made["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-{len(sizes)}"'
    assert bucket.read("a") == b"".join(contents)
    head = bucket.head_object(Key="a")
    assert (head["ETag"], head["ContentType"], head["Metadata"]) == (made["ETag"], "text/a", {"a": "1"})
    assert bucket.get_object_tagging(Key="a")["TagSet"] == [{"Key": "t", "Value": "1"}]
    part = bucket.get_object(Key="a", PartNumber=len(sizes))
    assert (part["Body"].read(), part["PartsCount"]) == (contents[-1], len(sizes))
    assert "Uploads" not in bucket.list_multipart_uploads()


@case
def of_far_numbers(bucket):
    upload = Upload(bucket)
    for number, letter in [(10_000, b"c"), (7, b"a"), (77, b"b")]:
        upload.send(number, letter * PART)
    upload.complete()
    assert bucket.read("a") == b"a" * PART + b"b" * PART + b"c" * PART
    assert bucket.read("a", PartNumber=77) == b"b" * PART


@case
def sent_again_count_as_sent_last(bucket):
    upload = Upload(bucket)
    first = upload.send(1, b"x" * 10)
    upload.send(1, b"a" * PART)
    upload.send(2, b"b")
    wrong = [{"PartNumber": 1, "ETag": first["ETag"]}, upload.parts[2]]
    upload.refused(400, "InvalidPart", wrong)
    upload.complete()
    assert bucket.read("a") == b"a" * PART + b"b"


@case
def may_be_left_out(bucket):
    upload = Upload(bucket)
    for number in [1, 2, 3]:
        upload.send(number, b"%d" % number * PART)
    upload.complete([upload.parts[1], upload.parts[3]])
    assert bucket.read("a") == b"1" * PART + b"3" * PART


@case
def that_are_too_small(bucket):
    upload = Upload(bucket)
    upload.send(1, b"a")
    upload.send(2, b"b")
    upload.refused(400, "EntityTooSmall")
    assert bucket.keys() == []
    upload.complete([upload.parts[2]])
    assert bucket.read("a") == b"b"


@rows(
    ([1, 3], (400, "InvalidPart")),
    ([2, 1], (400, "InvalidPartOrder")),
    ([1, 1], (400, "InvalidPartOrder")),
    ([], (400, "MalformedXML")),
)
def that_are_listed_wrongly(bucket, numbers, refusal):
    upload = Upload(bucket)
    upload.send(1, b"a" * PART)
    upload.send(2, b"b")
    upload.refused(*refusal, [upload.parts.get(number, {"PartNumber": number, "ETag": OTHER}) for number in numbers])
    assert bucket.keys() == []
    upload.complete()


@case
def of_another_etag(bucket):
    upload = Upload(bucket)
    upload.send(1, b"a")
    upload.refused(400, "InvalidPart", [{"PartNumber": 1, "ETag": OTHER}])
    upload.complete()


@rows(0, -1, 10_001)
def of_numbers_that_there_are_not(bucket, number):
    upload = Upload(bucket)
    path = f"/{bucket.name}/a?partNumber={number}&uploadId={upload.id}"
    assert raw("PUT", path, b"x").refusal == (400, "InvalidArgument")


@case
def of_no_upload(bucket):
    about = {"Key": "a", "UploadId": "no-such-upload"}
    refused(404, "NoSuchUpload", bucket.upload_part, **about, PartNumber=1, Body=b"")
    refused(404, "NoSuchUpload", bucket.list_parts, **about)
    refused(404, "NoSuchUpload", bucket.abort_multipart_upload, **about)
    parts = {"Parts": [{"PartNumber": 1, "ETag": OTHER}]}
    refused(404, "NoSuchUpload", bucket.complete_multipart_upload, **about, MultipartUpload=parts)


@case
def of_another_key(bucket):
    upload = Upload(bucket)
    upload.about["Key"] = "b"
    refused(404, "NoSuchUpload", upload.send, number=1, content=b"")
    refused(404, "NoSuchUpload", upload.abort)


@case
def given_up_are_gone(bucket):
    upload = Upload(bucket)
    upload.send(1, b"a")
    assert upload.abort()["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(404, "NoSuchUpload", upload.send, number=2, content=b"")
    refused(404, "NoSuchUpload", bucket.list_parts, **upload.about)
    refused(404, "NoSuchUpload", upload.abort)
    upload.refused(404, "NoSuchUpload")
    assert bucket.keys() == [] and "Uploads" not in bucket.list_multipart_uploads()


@case
def leave_what_is_there_until_all_have_come(bucket):
    bucket.put("a", b"before")
    upload = Upload(bucket)
    upload.send(1, b"after")
    assert bucket.read("a") == b"before"
    upload.complete()
    assert bucket.read("a") == b"after"


@case
def completed_once_more_are_the_same(bucket):
    upload = Upload(bucket)
    upload.send(1, b"a")
    first = upload.complete()["ETag"]
    assert upload.complete()["ETag"] == first
    refused(404, "NoSuchUpload", upload.send, number=2, content=b"")


@case
def completed_at_once_become_one(bucket):
    uploads = [Upload(bucket) for _ in range(4)]
    for number, upload in enumerate(uploads):
        upload.send(1, b"%d" % number * 1_000)
    made = at_once([upload.complete for upload in uploads])
    head = bucket.head_object(Key="a")["ETag"]
    assert head in [done["ETag"] for done in made]
    assert bucket.read("a") in [b"%d" % number * 1_000 for number in range(4)]


@case
def come_in_any_order_and_at_once(bucket):
    upload = Upload(bucket)
    numbers = [3, 1, 4, 2]
    at_once([lambda number=number: upload.send(number, b"%d" % number * PART) for number in numbers])
    upload.complete()
    assert bucket.read("a") == b"".join(b"%d" % number * PART for number in sorted(numbers))


@rows("x", "-1", "1.0")
def completed_to_a_size_that_is_none(bucket, size):
    upload = Upload(bucket)
    etag = upload.send(1, b"a")["ETag"]
    xml = f"<CompleteMultipartUpload><Part><ETag>{etag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    path = f"/{bucket.name}/a?uploadId={upload.id}"
    answer = raw("POST", path, xml.encode(), x_amz_mp_object_size=size)
    assert answer.refusal == (400, "InvalidArgument"), answer.body
    upload.refused(400, "InvalidRequest", MpuObjectSize=2)
    assert bucket.keys() == []
    upload.complete(MpuObjectSize=1)


@case
def not_given_up_by_when_they_began(bucket):
    upload = Upload(bucket)
    refused(501, "NotImplemented", bucket.abort_multipart_upload, **upload.about, IfMatchInitiatedTime=FUTURE)
    upload.send(1, b"a")
    upload.complete()


@rows(("SHA256", "COMPOSITE"), ("SHA1", "COMPOSITE"), ("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"))
def say_of_which_type_the_digest_of_the_whole_is(bucket, algorithm, kind):
    upload = Upload(bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    name = f"Checksum{algorithm}"
    sent = [upload.send(number, content, ChecksumAlgorithm=algorithm)
            for number, content in enumerate([b"a" * PART, b"b"], start=1)]
    upload.parts = {number: {**part, name: sent[number - 1][name]} for number, part in upload.parts.items()}
    other = "FULL_OBJECT" if kind == "COMPOSITE" else "COMPOSITE"
    upload.refused(400, "BadDigest", ChecksumType=other)
    assert upload.complete(ChecksumType=kind)["ChecksumType"] == kind
    for call in [bucket.head_object, bucket.get_object]:
        assert call(Key="a", ChecksumMode="ENABLED")["ChecksumType"] == kind
        for number in [1, 2]:
            part = call(Key="a", PartNumber=number, ChecksumMode="ENABLED")
            assert (part[name], part["ChecksumType"]) == (sent[number - 1][name], kind)


@case
def completed_under_conditions(bucket):
    etag = bucket.put("a", b"before")["ETag"]
    upload = Upload(bucket)
    upload.send(1, b"after")
    upload.refused(412, "PreconditionFailed", IfNoneMatch="*")
    upload.refused(412, "PreconditionFailed", IfMatch=OTHER)
    assert bucket.read("a") == b"before"
    upload.complete(IfMatch=etag)
    assert bucket.read("a") == b"after"
    missing = Upload(bucket, "b")
    missing.send(1, b"x")
    missing.refused(404, "NoSuchKey", IfMatch=OTHER)
    missing.complete(IfNoneMatch="*")

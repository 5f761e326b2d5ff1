"""Deletes, tags, and attributes of objects."""

import base64
import hashlib

from .case import case, raw, refused, rows


@case
def of_what_is_not_there(bucket):
    answer = bucket.delete_object(Key="none")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


@case
def are_final(bucket):
    bucket.put("a")
    bucket.delete_object(Key="a")
    bucket.is_absent("a")
    refused(404, "NoSuchKey", bucket.copy_object, Key="b", CopySource=f"{bucket.name}/a")
    refused(404, "NoSuchKey", bucket.get_object_tagging, Key="a")
    bucket.delete_object(Key="a")


@case
def of_many(bucket):
    keys = [f"key {number}" for number in range(20)]
    bucket.fill(*keys)
    doomed = [{"Key": key} for key in [*keys[:15], "none"]]
    answer = bucket.delete_objects(Delete={"Objects": doomed})
    assert sorted(found["Key"] for found in answer["Deleted"]) == sorted([*keys[:15], "none"])
    assert bucket.keys() == sorted(keys[15:])


@case
def of_many_in_silence(bucket):
    bucket.fill("a", "b")
    answer = bucket.delete_objects(Delete={"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer and bucket.keys() == []


@rows(0, 1001)
def of_too_few_or_too_many(bucket, count):
    doomed = [{"Key": f"{number}"} for number in range(count)]
    refused(400, "MalformedXML", bucket.delete_objects, Delete={"Objects": doomed})


@case
def of_a_thousand(bucket):
    doomed = [{"Key": f"{number}"} for number in range(1000)]
    assert len(bucket.delete_objects(Delete={"Objects": doomed})["Deleted"]) == 1000


@case
def of_versions(bucket):
    bucket.fill("a", "b")
    bucket.delete_object(Key="a", VersionId="null")
    refused(404, "NoSuchVersion", bucket.delete_object, Key="b", VersionId="other")
    doomed = [{"Key": "b", "VersionId": "other"}]
    assert bucket.delete_objects(Delete={"Objects": doomed})["Errors"][0]["Code"] == "NoSuchVersion"
    assert bucket.keys() == ["b"]


XML = b"<Delete><Object><Key>a</Key></Object></Delete>"
MD5 = base64.b64encode(hashlib.md5(XML).digest()).decode()


@rows(
    (XML, {}, (400, "InvalidRequest")),
    (XML, {"content_md5": MD5}, (200, None)),
    (XML + b" ", {"content_md5": MD5}, (400, "BadDigest")),
    (XML, {"content_md5": "x"}, (400, "InvalidDigest")),
    (XML, {"x_amz_checksum_crc32": "AAAAAA=="}, (400, "BadDigest")),
)
def of_many_with_a_digest(bucket, xml, headers, expected):
    bucket.fill("a")
    assert raw("POST", f"/{bucket.name}?delete", xml, **headers).refusal == expected
    assert bucket.keys() == ([] if expected[0] == 200 else ["a"])


@rows(b"<Delete>", b"no xml", b"<Delete><Object></Object></Delete>", b"<Other/>")
def of_many_that_cannot_be_read(bucket, xml):
    digest = base64.b64encode(hashlib.md5(xml).digest()).decode()
    answer = raw("POST", f"/{bucket.name}?delete", xml, content_md5=digest)
    assert answer.refusal == (400, "MalformedXML"), answer.body


@case
def of_many_that_are_not_named(bucket):
    digest = base64.b64encode(hashlib.md5(b"").digest()).decode()
    answer = raw("POST", f"/{bucket.name}?delete", content_md5=digest)
    assert answer.refusal == (400, "MissingRequestBodyError"), answer.body


def tags(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


@rows(
    [("a", "1")],
    [("a", ""), ("b", "x + y = z : / @ _ . -")],
    [("ü", "日本")],
    [(f"{number}", "x") for number in range(10)],
    [("k" * 128, "v" * 256)],
)
def tags_come_back(bucket, pairs):
    bucket.put("a")
    assert bucket.get_object_tagging(Key="a")["TagSet"] == []
    bucket.put_object_tagging(Key="a", Tagging={"TagSet": tags(*pairs)})
    found = bucket.get_object_tagging(Key="a")["TagSet"]
    assert sorted(found, key=str) == sorted(tags(*pairs), key=str)
    assert bucket.get_object(Key="a")["TagCount"] == len(pairs)
    bucket.delete_object_tagging(Key="a")
    assert bucket.get_object_tagging(Key="a")["TagSet"] == []
    assert bucket.read("a") == b"content"


@rows(
    [(f"{number}", "x") for number in range(11)],
    [("k" * 129, "v")],
    [("k", "v" * 257)],
    [("a", "1"), ("a", "2")],
    [("a", "semi;colon")],
)
def tags_that_cannot_be(bucket, pairs):
    bucket.put("a", Tagging="before=1")
    refused(400, "InvalidTag", bucket.put_object_tagging, Key="a", Tagging={"TagSet": tags(*pairs)})
    assert bucket.get_object_tagging(Key="a")["TagSet"] == tags(("before", "1"))


@case
def tags_come_with_an_object_and_go_with_it(bucket):
    bucket.put("a", Tagging="a=1&b=x%20y")
    assert bucket.get_object_tagging(Key="a")["TagSet"] == tags(("a", "1"), ("b", "x y"))
    bucket.put("a")
    assert bucket.get_object_tagging(Key="a")["TagSet"] == []
    refused(400, "InvalidTag", bucket.put_object, Key="a", Body=b"", Tagging="a=1&a=2")
    for call in [bucket.get_object_tagging, bucket.delete_object_tagging]:
        refused(404, "NoSuchKey", call, Key="none")


@case
def attributes_are_those_that_are_asked_for(bucket):
    etag = bucket.put("a", ChecksumAlgorithm="SHA256")["ETag"]
    every = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    told = bucket.get_object_attributes(Key="a", ObjectAttributes=every)
    assert (told["ETag"], told["ObjectSize"], told["StorageClass"]) == (etag.strip('"'), 7, "STANDARD")
    assert told["Checksum"]["ChecksumSHA256"] and "ObjectParts" not in told
    told = bucket.get_object_attributes(Key="a", ObjectAttributes=["ObjectSize"])
    assert told["ObjectSize"] == 7 and "ETag" not in told and "Checksum" not in told
    refused(404, "NoSuchKey", bucket.get_object_attributes, Key="none", ObjectAttributes=["ETag"])
    refused(400, "InvalidArgument", bucket.get_object_attributes, Key="a", ObjectAttributes=["Other"])

"""Copies of objects."""

from .case import MIB, case, new_bucket, raw, refused, rows, with_own_buckets
from .conditions import FUTURE, OTHER, PAST, SAME, with_etag


def source(bucket, key="from"):
    return {"Bucket": bucket.name, "Key": key}


def stocked(bucket):
    about = {"ContentType": "text/a", "CacheControl": "no-cache", "Metadata": {"a": "1"}, "Tagging": "t=1"}
    return bucket.put("from", **about)


@rows(0, 1, 300_000, 6 * MIB)
def of_any_size(bucket, size):
    etag = bucket.put("from", b"x" * size)["ETag"]
    copied = bucket.copy_object(Key="to", CopySource=source(bucket))["CopyObjectResult"]
    head = bucket.head_object(Key="to")
    assert (copied["ETag"], copied["LastModified"]) == (head["ETag"], head["LastModified"])
    assert copied["ETag"] == etag and bucket.read("to") == b"x" * size


@case
def keep_what_is_said(bucket):
    stocked(bucket)
    bucket.copy_object(Key="to", CopySource=source(bucket), Metadata={"b": "2"}, ContentType="text/b")
    head = bucket.head_object(Key="to")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == ("text/a", "no-cache", {"a": "1"})
    assert bucket.get_object_tagging(Key="to")["TagSet"] == [{"Key": "t", "Value": "1"}]


@case
def replace_what_is_said(bucket):
    stocked(bucket)
    bucket.copy_object(Key="to", CopySource=source(bucket), MetadataDirective="REPLACE",
                       Metadata={"b": "2"}, ContentType="text/b", TaggingDirective="REPLACE", Tagging="u=2")
    head = bucket.head_object(Key="to")
    assert (head["ContentType"], head.get("CacheControl"), head["Metadata"]) == ("text/b", None, {"b": "2"})
    assert bucket.get_object_tagging(Key="to")["TagSet"] == [{"Key": "u", "Value": "2"}]


@case
def onto_themselves_have_to_change_something(bucket):
    stocked(bucket)
    refused(400, "InvalidRequest", bucket.copy_object, Key="from", CopySource=source(bucket))
    bucket.copy_object(Key="from", CopySource=source(bucket), MetadataDirective="REPLACE", Metadata={"c": "3"})
    head = bucket.head_object(Key="from")
    assert head["Metadata"] == {"c": "3"} and bucket.read("from") == b"content"


@rows(
    ({"CopySourceIfMatch": SAME}, None),
    ({"CopySourceIfMatch": OTHER}, (412, "PreconditionFailed")),
    ({"CopySourceIfNoneMatch": SAME}, (412, "PreconditionFailed")),
    ({"CopySourceIfNoneMatch": OTHER}, None),
    ({"CopySourceIfModifiedSince": PAST}, None),
    ({"CopySourceIfModifiedSince": FUTURE}, (412, "PreconditionFailed")),
    ({"CopySourceIfUnmodifiedSince": PAST}, (412, "PreconditionFailed")),
    ({"CopySourceIfUnmodifiedSince": FUTURE}, None),
    ({"CopySourceIfMatch": SAME, "CopySourceIfUnmodifiedSince": PAST}, None),
    ({"CopySourceIfNoneMatch": SAME, "CopySourceIfModifiedSince": PAST}, (412, "PreconditionFailed")),
    ({"IfNoneMatch": "*"}, None),
)
def under_conditions(bucket, asked, refusal):
    asked = with_etag(asked, stocked(bucket)["ETag"])
    if refusal:
        refused(*refusal, bucket.copy_object, Key="to", CopySource=source(bucket), **asked)
    else:
        bucket.copy_object(Key="to", CopySource=source(bucket), **asked)
    assert bucket.keys() == ["from"] + ["to"] * (not refusal)


@case
def over_something_under_conditions(bucket):
    stocked(bucket)
    etag = bucket.put("to", b"before")["ETag"]
    refused(412, "PreconditionFailed", bucket.copy_object, Key="to", CopySource=source(bucket), IfNoneMatch="*")
    refused(412, "PreconditionFailed", bucket.copy_object, Key="to", CopySource=source(bucket), IfMatch=OTHER)
    assert bucket.read("to") == b"before"
    bucket.copy_object(Key="to", CopySource=source(bucket), IfMatch=etag)
    assert bucket.read("to") == b"content"


@rows(
    ("{}/none", (404, "NoSuchKey")),
    ("no-such-bucket/from", (404, "NoSuchBucket")),
    ("{}", (400, "InvalidArgument")),
    ("{}/", (400, "InvalidArgument")),
    ("/", (400, "InvalidArgument")),
    ("{}/from?versionId=other", (404, "NoSuchVersion")),
    ("{}/from?versionId=null", None),
    ("/{}/from", None),
)
def from_what_is_said_in_words(bucket, words, refusal):
    stocked(bucket)
    words = words.format(bucket.name)
    if refusal:
        refused(*refusal, bucket.copy_object, Key="to", CopySource=words)
    else:
        bucket.copy_object(Key="to", CopySource=words)
        assert bucket.read("to") == b"content"


@rows("{}/fr%6Fm", "/{}/%66rom", "{}/from?versionId=null")
def from_what_is_spelt_like_a_url(bucket, words):
    stocked(bucket)
    answer = raw("PUT", f"/{bucket.name}/to", x_amz_copy_source=words.format(bucket.name))
    assert answer.status == 200 and bucket.read("to") == b"content"


@case
def to_no_bucket(bucket):
    stocked(bucket)
    answer = raw("PUT", "/no-such-bucket/to", x_amz_copy_source=f"{bucket.name}/from")
    assert answer.refusal == (404, "NoSuchBucket")


@case
@with_own_buckets
def to_another_bucket(bucket):
    stocked(bucket)
    other = new_bucket(f"{bucket.name}-other")
    other.copy_object(Key="to", CopySource=source(bucket))
    assert other.read("to") == b"content" and bucket.keys() == ["from"]
    assert other.keys() == ["to"]


@rows("CRC32", "SHA1", "SHA256")
def with_another_checksum(bucket, kind):
    stocked(bucket)
    copied = bucket.copy_object(Key="to", CopySource=source(bucket), ChecksumAlgorithm=kind)
    told = bucket.head_object(Key="to", ChecksumMode="ENABLED")
    assert copied["CopyObjectResult"][f"Checksum{kind}"] == told[f"Checksum{kind}"]


@rows(("MetadataDirective", "KEEP"), ("TaggingDirective", "KEEP"))
def with_words_that_there_are_not(bucket, name, word):
    stocked(bucket)
    refused(400, "InvalidArgument", bucket.copy_object, Key="to", CopySource=source(bucket), **{name: word})


@case
def of_what_is_replaced_meanwhile(bucket):
    bucket.put("from", b"one")
    bucket.copy_object(Key="to", CopySource=source(bucket))
    bucket.put("from", b"two")
    assert (bucket.read("to"), bucket.read("from")) == (b"one", b"two")

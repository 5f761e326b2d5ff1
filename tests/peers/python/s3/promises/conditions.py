"""Conditions of reads, writes and deletes, and what happens at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from .case import MIB, case, refused, rows

PAST = datetime(1994, 10, 29, 19, 43, 31, tzinfo=timezone.utc)
FUTURE = datetime(2100, 10, 29, 19, 43, 31, tzinfo=timezone.utc)
SAME = object()
OTHER = '"0123456789abcdef0123456789abcdef"'


def with_etag(asked, etag):
    return {name: etag if value is SAME else value for name, value in asked.items()}


@rows(
    ({"IfMatch": SAME}, 200),
    ({"IfMatch": OTHER}, 412),
    ({"IfMatch": "*"}, 200),
    ({"IfNoneMatch": SAME}, 304),
    ({"IfNoneMatch": OTHER}, 200),
    ({"IfNoneMatch": "*"}, 304),
    ({"IfModifiedSince": PAST}, 200),
    ({"IfModifiedSince": FUTURE}, 304),
    ({"IfUnmodifiedSince": PAST}, 412),
    ({"IfUnmodifiedSince": FUTURE}, 200),
    ({"IfMatch": SAME, "IfUnmodifiedSince": PAST}, 200),
    ({"IfMatch": OTHER, "IfUnmodifiedSince": FUTURE}, 412),
    ({"IfNoneMatch": SAME, "IfModifiedSince": PAST}, 304),
    ({"IfNoneMatch": OTHER, "IfModifiedSince": FUTURE}, 200),
    ({"IfMatch": SAME, "IfNoneMatch": SAME}, 304),
    ({"IfMatch": OTHER, "IfNoneMatch": OTHER}, 412),
)
def of_reads(bucket, asked, status):
    asked = with_etag(asked, bucket.put("a")["ETag"])
    if status == 200:
        assert bucket.read("a", **asked) == b"content"
        assert bucket.head_object(Key="a", **asked)["ContentLength"] == 7
        return
    code = {304: "304", 412: "PreconditionFailed"}[status]
    refused(status, code, bucket.get_object, Key="a", **asked)
    refused(status, str(status), bucket.head_object, Key="a", **asked)


@rows(
    ({"IfMatch": SAME}, None),
    ({"IfMatch": "*"}, None),
    ({"IfMatch": OTHER}, (412, "PreconditionFailed")),
    ({"IfNoneMatch": "*"}, (412, "PreconditionFailed")),
)
def of_writes_over_something(bucket, asked, refusal):
    asked = with_etag(asked, bucket.put("a", b"before")["ETag"])
    if refusal:
        refused(*refusal, bucket.put_object, Key="a", Body=b"after", **asked)
    else:
        bucket.put("a", b"after", **asked)
    assert bucket.read("a") == (b"before" if refusal else b"after")


@rows(
    ({"IfMatch": OTHER}, (404, "NoSuchKey")),
    ({"IfMatch": "*"}, (404, "NoSuchKey")),
    ({"IfNoneMatch": "*"}, None),
)
def of_writes_over_nothing(bucket, asked, refusal):
    if refusal:
        refused(*refusal, bucket.put_object, Key="a", Body=b"", **asked)
    else:
        bucket.put("a", **asked)
    assert bucket.keys() == ([] if refusal else ["a"])


@case
def of_a_write_over_what_is_deleted(bucket):
    bucket.put("a")
    bucket.delete_object(Key="a")
    bucket.put("a", b"again", IfNoneMatch="*")
    assert bucket.read("a") == b"again"


@rows((SAME, None), ("*", None), (OTHER, (412, "PreconditionFailed")))
def of_deletes(bucket, etag, refusal):
    asked = with_etag({"IfMatch": etag}, bucket.put("a")["ETag"])
    if refusal:
        refused(*refusal, bucket.delete_object, Key="a", **asked)
    else:
        bucket.delete_object(Key="a", **asked)
    assert bucket.keys() == (["a"] if refusal else [])


SAME_TIME = object()


def deleted_if(**asked):
    """What one delete is asked, and one of many."""
    one = {"ETag": "IfMatch", "Size": "IfMatchSize", "LastModifiedTime": "IfMatchLastModifiedTime"}
    return {one[name]: value for name, value in asked.items()}, asked


@rows(
    ({"Size": 7}, True),
    ({"Size": 8}, False),
    ({"Size": 0}, False),
    ({"LastModifiedTime": SAME_TIME}, True),
    ({"LastModifiedTime": PAST}, False),
    ({"LastModifiedTime": FUTURE}, False),
    ({"ETag": "*"}, True),
    ({"ETag": SAME, "Size": 7, "LastModifiedTime": SAME_TIME}, True),
    ({"ETag": OTHER, "Size": 7, "LastModifiedTime": SAME_TIME}, False),
    ({"ETag": SAME, "Size": 8, "LastModifiedTime": SAME_TIME}, False),
    ({"ETag": SAME, "Size": 7, "LastModifiedTime": PAST}, False),
)
def of_deletes_by_what_is_there(bucket, asked, holds):
    for many in [False, True]:
        etag = bucket.put("a")["ETag"]
        time = bucket.head_object(Key="a")["LastModified"]
        known = {SAME: etag, SAME_TIME: time}
        one, of_many = deleted_if(**{name: known.get(value, value) for name, value in asked.items()})
        if many:
            answer = bucket.delete_objects(Delete={"Objects": [{"Key": "a", **of_many}]})
            codes = [found["Code"] for found in answer.get("Errors", [])]
            assert codes == ([] if holds else ["PreconditionFailed"])
        elif holds:
            bucket.delete_object(Key="a", **one)
        else:
            refused(412, "PreconditionFailed", bucket.delete_object, Key="a", **one)
        assert bucket.keys() == ([] if holds else ["a"])


@rows(({"ETag": OTHER}, False), ({"ETag": "*"}, False), ({"Size": 1}, True), ({"LastModifiedTime": PAST}, True))
def of_deletes_of_nothing(bucket, asked, holds):
    one, of_many = deleted_if(**asked)
    if holds:
        bucket.delete_object(Key="a", **one)
    else:
        refused(404, "NoSuchKey", bucket.delete_object, Key="a", **one)
    answer = bucket.delete_objects(Delete={"Objects": [{"Key": "a", **of_many}]})
    assert [found["Code"] for found in answer.get("Errors", [])] == ([] if holds else ["NoSuchKey"])


@case
def of_one_in_many_deletes(bucket):
    etag = bucket.put("a")["ETag"]
    bucket.put("b")
    doomed = [{"Key": "a", "ETag": OTHER}, {"Key": "b", "ETag": etag}]
    answer = bucket.delete_objects(Delete={"Objects": doomed})
    assert [found["Key"] for found in answer["Deleted"]] == ["b"]
    assert [(found["Key"], found["Code"]) for found in answer["Errors"]] == [("a", "PreconditionFailed")]
    assert bucket.keys() == ["a"]


def at_once(calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


@rows(1, 4)
def readers_see_one_state_whole(bucket, mib):
    states = [letter * (mib * MIB) for letter in [b"a", b"b"]]
    bucket.put("a", states[0])
    reads = [lambda: bucket.read("a")] * 4
    found = at_once([lambda: bucket.put("a", states[1]), *reads, lambda: bucket.put("a", states[0])])
    assert all(read in states for read in found if isinstance(read, bytes))
    assert bucket.read("a") in states


@rows(1, 4)
def two_writers_leave_the_state_of_one(bucket, mib):
    states = [letter * (mib * MIB) for letter in [b"a", b"b"]]
    at_once([lambda state=state: bucket.put("a", state) for state in states])
    assert bucket.read("a") in states
    assert bucket.list_objects_v2()["Contents"][0]["Size"] == mib * MIB


@case
def one_of_many_makes_what_is_not_there(bucket):
    def make(number):
        try:
            bucket.put("a", b"%d" % number, IfNoneMatch="*")
        except Exception as refusal:
            assert refusal.response["Error"]["Code"] in ["PreconditionFailed", "ConditionalRequestConflict"]
            return None
        return b"%d" % number

    made = [done for done in at_once([lambda number=number: make(number) for number in range(8)]) if done]
    assert made == [bucket.read("a")]


@case
def no_write_is_lost_behind_etags(bucket):
    bucket.put("a", b"0")

    def add(_):
        while True:
            found = bucket.get_object(Key="a")
            number = int(found["Body"].read())
            try:
                return bucket.put("a", b"%d" % (number + 1), IfMatch=found["ETag"])
            except Exception as refusal:
                known = ["PreconditionFailed", "ConditionalRequestConflict"]
                assert refusal.response["Error"]["Code"] in known, refusal

    at_once([lambda: [add(turn) for turn in range(3)]] * 4)
    assert bucket.read("a") == b"12"


@case
def reads_and_deletes_at_once(bucket):
    def read():
        try:
            return bucket.read("a")
        except Exception as refusal:
            assert refusal.response["Error"]["Code"] == "NoSuchKey", refusal
            return b"content"

    for _ in range(3):
        bucket.put("a")
        found = at_once([read, lambda: bucket.delete_object(Key="a") and b"content", read])
        assert found == [b"content"] * 3
        bucket.is_absent("a")

"""Lists: prefixes, delimiters, markers, pages, and the two versions of the call."""

from .case import case, raw, refused, rows, s3

KEYS = ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla", "b.r", "b z", "50%"]


def both(bucket, **asked):
    """Keys and common prefixes, the same from both versions."""
    found = []
    for call in [bucket.list_objects, bucket.list_objects_v2]:
        answer = call(**asked)
        assert answer["IsTruncated"] is False, answer
        keys = [found["Key"] for found in answer.get("Contents", [])]
        found.append((keys, [found["Prefix"] for found in answer.get("CommonPrefixes", [])]))
    assert found[0] == found[1], found
    return found[0]


@case
def of_an_empty_bucket(bucket):
    assert both(bucket) == ([], [])
    assert bucket.list_objects_v2()["KeyCount"] == 0
    assert bucket.list_objects()["MaxKeys"] == 1000


@rows(
    ({}, sorted(KEYS), []),
    ({"Delimiter": "/"}, ["50%", "asdf", "b z", "b.r"], ["boo/", "cquux/"]),
    ({"Delimiter": "a"}, ["50%", "b z", "b.r", "cquux/thud"], ["a", "boo/ba", "cquux/bla"]),
    ({"Delimiter": " "}, sorted(set(KEYS) - {"b z"}), ["b "]),
    ({"Delimiter": "%"}, sorted(set(KEYS) - {"50%"}), ["50%"]),
    ({"Delimiter": "."}, sorted(set(KEYS) - {"b.r"}), ["b."]),
    ({"Delimiter": "oo/ba"}, sorted(key for key in KEYS if "boo" not in key), ["boo/ba"]),
    ({"Delimiter": "\n"}, sorted(KEYS), []),
    ({"Delimiter": "none"}, sorted(KEYS), []),
    ({"Delimiter": ""}, sorted(KEYS), []),
    ({"Prefix": "boo"}, ["boo/bar", "boo/baz/xyzzy"], []),
    ({"Prefix": "b"}, ["b z", "b.r", "boo/bar", "boo/baz/xyzzy"], []),
    ({"Prefix": ""}, sorted(KEYS), []),
    ({"Prefix": "none"}, [], []),
    ({"Prefix": "\n"}, [], []),
    ({"Prefix": "asdf"}, ["asdf"], []),
    ({"Prefix": "asdf+"}, [], []),
    ({"Prefix": "boo/", "Delimiter": "/"}, ["boo/bar"], ["boo/baz/"]),
    ({"Prefix": "boo", "Delimiter": "/"}, [], ["boo/"]),
    ({"Prefix": "c", "Delimiter": "u"}, [], ["cqu"]),
    ({"Prefix": "none/", "Delimiter": "/"}, [], []),
    ({"Prefix": "boo/baz/xyzzy", "Delimiter": "/"}, ["boo/baz/xyzzy"], []),
)
def by_prefix_and_delimiter(bucket, asked, keys, prefixes):
    bucket.fill(*KEYS)
    assert both(bucket, **asked) == (keys, prefixes)


@rows(1, 2, 3, 5, 8, 100)
def in_pages(bucket, size):
    bucket.fill(*KEYS)
    for call, token, after in [
        (bucket.list_objects, "Marker", "NextMarker"),
        (bucket.list_objects_v2, "ContinuationToken", "NextContinuationToken"),
        (bucket.list_object_versions, "KeyMarker", "NextKeyMarker"),
    ]:
        for more in [{}, {"Delimiter": "/"}]:
            found, asked = [], {"MaxKeys": size, **more}
            while True:
                page = call(**asked)
                items = [item["Key"] for item in page.get("Contents", page.get("Versions", []))]
                items += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
                assert len(items) <= size and page["MaxKeys"] == size
                assert page["IsTruncated"] == (after in page) or not more and after == "NextMarker"
                found += items
                if not page["IsTruncated"]:
                    break
                asked[token] = page.get(after, items[-1])
            assert sorted(found) == sorted(sum(both(bucket, **more), [])), (call, more)


@rows(("asdf", 6), ("a", 7), ("b", 6), ("zzz", 0), ("\n", 8), ("boo/baz/xyzzy", 2), ("5", 8))
def after_a_marker(bucket, marker, left):
    bucket.fill(*KEYS)
    expected = [key for key in sorted(KEYS) if key > marker]
    assert len(expected) == left
    assert bucket.keys(StartAfter=marker) == expected
    first = bucket.list_objects(Marker=marker)
    assert [item["Key"] for item in first.get("Contents", [])] == expected
    assert first["Marker"] == marker


@case
def an_empty_marker_is_none(bucket):
    bucket.fill(*KEYS)
    assert len(bucket.list_objects(Marker="")["Contents"]) == len(KEYS)
    assert len(bucket.list_objects_v2(StartAfter="")["Contents"]) == len(KEYS)


@case
def a_marker_that_is_a_common_prefix_passes_it(bucket):
    bucket.fill(*KEYS)
    asked = {"Delimiter": "/", "Marker": "boo/"}
    assert bucket.list_objects(**asked)["CommonPrefixes"] == [{"Prefix": "cquux/"}]


@case
def a_token_counts_more_than_a_start(bucket):
    bucket.fill("a", "b", "c", "d")
    page = bucket.list_objects_v2(MaxKeys=2, StartAfter="a")
    assert [item["Key"] for item in page["Contents"]] == ["b", "c"] and page["StartAfter"] == "a"
    after = page["NextContinuationToken"]
    page = bucket.list_objects_v2(ContinuationToken=after, StartAfter="z")
    assert [item["Key"] for item in page["Contents"]] == ["d"] and page["ContinuationToken"] == after


@case
def an_empty_token_is_none(bucket):
    bucket.fill("a", "b")
    for start, keys in [({}, ["a", "b"]), ({"StartAfter": "a"}, ["b"])]:
        page = bucket.list_objects_v2(ContinuationToken="", **start)
        assert [item["Key"] for item in page["Contents"]] == keys and page["ContinuationToken"] == ""
    assert "ContinuationToken" not in bucket.list_objects_v2()


@rows("max-keys=-1", "max-keys=x", "encoding-type=x", "list-type=2&continuation-token=%21%21")
def that_cannot_be(bucket, query):
    assert raw("GET", f"/{bucket.name}?{query}").refusal == (400, "InvalidArgument")


@case
def of_no_keys_at_all(bucket):
    bucket.fill("a", "b")
    for call in [bucket.list_objects, bucket.list_objects_v2]:
        page = call(MaxKeys=0)
        assert "Contents" not in page and page["IsTruncated"] is False and page["MaxKeys"] == 0


@case
def of_more_keys_than_there_can_be(bucket):
    assert bucket.list_objects(MaxKeys=5000)["MaxKeys"] == 1000


@case
def in_the_order_of_bytes(bucket):
    keys = ["A", "a", "a!", "a/", "a/b", "aa", "z", "é", "\uffee", "\U0001f600"]
    bucket.fill(*reversed(keys))
    assert bucket.keys() == sorted(keys, key=str.encode) == keys


@case
def spelt_like_urls(bucket):
    bucket.fill("foo+1/bar", "foo/bar baz", "ü&<>", "a\x01\nb")
    page = raw("GET", f"/{bucket.name}?encoding-type=url&delimiter=%2F&prefix=foo%2B").body.decode()
    assert "<Prefix>foo%2B</Prefix>" in page and "<Prefix>foo%2B1/</Prefix>" in page, page
    page = raw("GET", f"/{bucket.name}?list-type=2&encoding-type=url").body.decode()
    for key in ["foo%2B1/bar", "%C3%BC%26%3C%3E", "a%01%0Ab"]:
        assert f"<Key>{key}</Key>" in page, page
    assert "<Key>foo/bar%20baz</Key>" in page or "<Key>foo/bar+baz</Key>" in page, page


@case
def say_what_a_head_says(bucket):
    bucket.fill("a", "dir/b")
    owner = s3.list_buckets()["Owner"]["ID"]
    for found in bucket.list_objects_v2(FetchOwner=True)["Contents"]:
        head = bucket.head_object(Key=found["Key"])
        assert (found["ETag"], found["Size"]) == (head["ETag"], head["ContentLength"])
        assert found["LastModified"] == head["LastModified"]
        assert found["StorageClass"] == "STANDARD" and found["Owner"]["ID"] == owner
    assert "Owner" not in bucket.list_objects_v2()["Contents"][0]
    assert bucket.list_objects()["Contents"][0]["Owner"]["ID"] == owner


@case
def follow_at_once(bucket):
    for number in range(5):
        bucket.put("a", b"x" * number)
        assert [found["Size"] for found in bucket.list_objects_v2()["Contents"]] == [number]
    bucket.delete_object(Key="a")
    assert bucket.keys() == []


@case
def of_versions_know_one_of_each(bucket):
    bucket.fill("a", "b/c", "b/d")
    bucket.fill("a")
    page = bucket.list_object_versions()
    assert [(found["Key"], found["VersionId"], found["IsLatest"]) for found in page["Versions"]] == [
        ("a", "null", True), ("b/c", "null", True), ("b/d", "null", True)]
    assert "DeleteMarkers" not in page
    assert bucket.list_object_versions(KeyMarker="a", Delimiter="/")["CommonPrefixes"] == [{"Prefix": "b/"}]


@rows("list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads")
def of_no_bucket(bucket, call):
    refused(404, "NoSuchBucket", getattr(s3, call), Bucket="no-such-bucket")


@case
def with_folders_that_are_objects(bucket):
    bucket.put("dir/", b"")
    bucket.fill("dir/a")
    assert both(bucket, Delimiter="/") == ([], ["dir/"])
    assert both(bucket, Delimiter="/", Prefix="dir/") == (["dir/", "dir/a"], [])
    bucket.delete_object(Key="dir/")
    assert both(bucket, Delimiter="/", Prefix="dir/") == (["dir/a"], [])

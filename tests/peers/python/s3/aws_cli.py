"""Drives the gateway with the AWS CLI, unchanged."""

import json
import sys
from pathlib import Path
from urllib.error import HTTPError

from stage import BUCKET, MIB, content, end, fails, gone, held, holds, http, keys, make_tree, run
from stage import tree_of, write

AWS = [sys.executable, "-m", "awscli"]
ROOT = f"s3://{BUCKET}"


def s3(*words, stdin=None):
    return run([*AWS, "s3", *words], stdin).decode()


def s3api(command, *words):
    told = run([*AWS, "s3api", command, "--bucket", BUCKET, *words, "--output", "json"])
    return json.loads(told) if told.strip() else None


def copies():
    for key, size in [("small.txt", 11), ("empty", 0), ("large.bin", 20 * MIB)]:
        write(Path(key), holds(key, content(size, key)))
        s3("cp", key, f"{ROOT}/{key}")
        s3("cp", f"{ROOT}/{key}", "back")
        assert Path("back").read_bytes() == held(key)
    for key, size in [("stdin small", 100), ("stdin large", 9 * MIB)]:
        s3("cp", "-", f"{ROOT}/{key}", stdin=holds(key, content(size, key)))
        assert run([*AWS, "s3", "cp", f"{ROOT}/{key}", "-"]) == held(key)
    s3("cp", f"{ROOT}/small.txt", f"{ROOT}/copied/small.txt")
    holds("copied/small.txt", held("small.txt"))
    s3("cp", f"{ROOT}/large.bin", f"{ROOT}/copied/large.bin")
    holds("copied/large.bin", held("large.bin"))
    s3("mv", f"{ROOT}/stdin small", f"{ROOT}/moved")
    holds("moved", held("stdin small"))
    gone("stdin small")
    assert "404" in fails([*AWS, "s3", "cp", f"{ROOT}/absent", "back"])


def syncs():
    tree = make_tree("tree", 200)
    s3("sync", "tree", f"{ROOT}/tree")
    for path, data in tree.items():
        holds(f"tree/{path}", data)
    assert s3("sync", "tree", f"{ROOT}/tree") == "", "nothing has changed"
    s3("sync", f"{ROOT}/tree", "down")
    assert tree_of("down") == tree
    assert s3("sync", f"{ROOT}/tree", "down") == "", "nothing has changed"
    for path in sorted(tree)[::20]:
        (Path("tree") / path).unlink()
        gone(f"tree/{path}")
    write(Path("tree/new file"), holds("tree/new file", b"new"))
    told = s3("sync", "tree", f"{ROOT}/tree", "--delete")
    assert (told.count("delete:"), told.count("upload:")) == (10, 1), told
    s3("sync", f"{ROOT}/tree", "down", "--delete")
    assert tree_of("down") == tree_of("tree")


def lists():
    listed = s3("ls", f"{ROOT}/tree/", "--recursive", "--summarize").splitlines()
    # Date, time and size come first; a key may hold spaces.
    found = [line.split(maxsplit=3)[3] for line in listed if "/" in line]
    assert sorted(found) == keys("tree/"), set(found) ^ set(keys("tree/"))
    size = sum(len(held(key)) for key in keys("tree/"))
    assert f"Total Objects: {len(found)}" in listed[-2] and f"Total Size: {size}" in listed[-1]
    top = s3("ls", f"{ROOT}/tree/")
    assert top.count(" PRE ") == len({key.split("/")[1] for key in found if key.count("/") > 1})
    assert BUCKET in s3("ls")
    first = keys("tree/")[0].split("/")[1]
    told = s3("rm", f"{ROOT}/tree/{first}/", "--recursive")
    removed = keys(f"tree/{first}/")
    assert told.count("delete:") == len(removed) > 0
    for key in removed:
        gone(key)
    assert len(s3("ls", f"{ROOT}/tree/", "--recursive").splitlines()) == len(keys("tree/"))


def presigned():
    # By itself it presigns with version 2 of signatures, which is not taken here.
    run([*AWS, "configure", "set", "default.s3.signature_version", "s3v4"])
    url = s3("presign", f"{ROOT}/small.txt").strip()
    assert http("GET", url) == held("small.txt")
    for broken in [url.replace("small", "other"), url.replace("Expires=3600", "Expires=3601")]:
        try:
            http("GET", broken)
        except HTTPError as refusal:
            assert refusal.code == 403 and b"SignatureDoesNotMatch" in refusal.read()
        else:
            raise AssertionError(f"{broken} is not signed")


def single_calls():
    head = s3api("head-object", "--key", "large.bin")
    assert head["ContentLength"] == 20 * MIB and head["ETag"].endswith('-3"'), head
    s3api("get-object", "--key", "large.bin", "--range", "bytes=8388600-8388615", "part")
    assert Path("part").read_bytes() == held("large.bin")[8388600:8388616]
    source = f"{BUCKET}/small.txt"
    s3api("copy-object", "--key", "again", "--copy-source", source, "--metadata", "a=1",
          "--metadata-directive", "REPLACE")
    holds("again", held("small.txt"))
    assert s3api("head-object", "--key", "again")["Metadata"] == {"a": "1"}
    tags = {"TagSet": [{"Key": "team", "Value": "search + find"}]}
    s3api("put-object-tagging", "--key", "again", "--tagging", json.dumps(tags))
    assert s3api("get-object-tagging", "--key", "again")["TagSet"] == tags["TagSet"]
    versions = s3api("list-object-versions", "--prefix", "copied/")["Versions"]
    assert [version["Key"] for version in versions] == keys("copied/")
    assert {version["VersionId"] for version in versions} == {"null"}
    assert "NoSuchKey" in fails([*AWS, "s3api", "get-object", "--bucket", BUCKET, "--key", "no", "x"])


for step in [copies, syncs, lists, presigned, single_calls]:
    step()
end()

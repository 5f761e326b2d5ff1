"""Drives the gateway with s3cmd, unchanged."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from stage import BUCKET, MIB, content, end, fails, gone, held, holds, keys, make_tree, run, tree_of
from stage import write

ROOT = f"s3://{BUCKET}"
HOST = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
S3CMD = [sys.executable, Path(sys.executable).parent / "s3cmd", "--config=/dev/null", "--no-ssl",
         f"--host={HOST}", f"--host-bucket={HOST}", "--no-progress", "--max-retries=0"]


def s3cmd(*words):
    return run([*S3CMD, *words]).decode()


for key, size in [("small.txt", 11), ("empty", 0), ("large.bin", 40 * MIB)]:
    write(Path(key), holds(key, content(size, key)))
    s3cmd("put", key, f"{ROOT}/{key}")
    s3cmd("get", "--force", f"{ROOT}/{key}", "back")
    assert Path("back").read_bytes() == held(key)
told = s3cmd("info", f"{ROOT}/small.txt")
assert "File size: 11" in told and "FULL_CONTROL" in told, told
assert f"{ROOT}/" in s3cmd("info", ROOT)

tree = make_tree("tree", 60)
s3cmd("sync", "tree/", f"{ROOT}/tree/")
for path, data in tree.items():
    holds(f"tree/{path}", data)
assert "upload:" not in s3cmd("sync", "tree/", f"{ROOT}/tree/"), "nothing has changed"
s3cmd("sync", f"{ROOT}/tree/", "down/")
assert tree_of("down") == tree
for path in sorted(tree)[::20]:
    (Path("tree") / path).unlink()
    gone(f"tree/{path}")
s3cmd("sync", "--delete-removed", "tree/", f"{ROOT}/tree/")

listed = s3cmd("ls", "--recursive", f"{ROOT}/tree/").splitlines()
assert sorted(line.split(f"{ROOT}/", 1)[1] for line in listed) == keys("tree/")
s3cmd("cp", f"{ROOT}/small.txt", f"{ROOT}/copied")
holds("copied", held("small.txt"))
s3cmd("mv", f"{ROOT}/copied", f"{ROOT}/moved")
holds("moved", held("copied"))
gone("copied")
s3cmd("del", f"{ROOT}/empty")
gone("empty")
s3cmd("del", "--recursive", f"{ROOT}/tree/plain/")
for key in keys("tree/plain/"):
    gone(key)
assert "does not exist" in fails([*S3CMD, "get", "--force", f"{ROOT}/empty", "back"])
end()

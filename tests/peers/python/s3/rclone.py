"""Drives the gateway with rclone, unchanged."""

import os
import sys
from pathlib import Path

from stage import BUCKET, MIB, content, end, gone, holds, keys, make_tree, run, tree_of, write

REMOTE = f"gateway:{BUCKET}"


def rclone(*words, stdin=None):
    program = Path(sys.executable).parent / "rclone"
    return run([program, "--retries=1", "--low-level-retries=1", *words], stdin).decode()


def listed(path):
    found = rclone("lsf", "-R", "--files-only", path).splitlines()
    return sorted(found)


# Any S3: rclone has no name for this one yet.
os.environ.update({
    "RCLONE_CONFIG": "/dev/null",
    "RCLONE_CONFIG_GATEWAY_TYPE": "s3",
    "RCLONE_CONFIG_GATEWAY_PROVIDER": "Other",
    "RCLONE_CONFIG_GATEWAY_ENV_AUTH": "true",
    "RCLONE_CONFIG_GATEWAY_ENDPOINT": os.environ["AWS_ENDPOINT_URL"],
})

tree = make_tree("tree", 200)
rclone("sync", "tree", f"{REMOTE}/tree")
for path, data in tree.items():
    holds(f"tree/{path}", data)
rclone("check", "--download", "tree", f"{REMOTE}/tree")
rclone("check", "tree", f"{REMOTE}/tree")
assert listed(f"{REMOTE}/tree") == sorted(tree)

write(Path("large.bin"), holds("large/large.bin", content(100 * MIB, "large")))
rclone("copy", "large.bin", f"{REMOTE}/large")
rclone("check", "--download", "--one-way", "large.bin", f"{REMOTE}/large")
rclone("copyto", f"{REMOTE}/large/large.bin", f"{REMOTE}/copied")
holds("copied", content(100 * MIB, "large"))
rclone("rcat", f"{REMOTE}/piped", stdin=holds("piped", content(3 * MIB, "piped")))

for path in sorted(tree)[::20]:
    (Path("tree") / path).unlink()
    gone(f"tree/{path}")
write(Path("tree/new file"), holds("tree/new file", b"new"))
rclone("sync", "tree", f"{REMOTE}/tree")
rclone("sync", f"{REMOTE}/tree", "down")
assert tree_of("down") == tree_of("tree")
assert listed(f"{REMOTE}/tree") == [key.removeprefix("tree/") for key in keys("tree/")]

rclone("delete", f"{REMOTE}/tree/plain")
for key in keys("tree/plain/"):
    gone(key)
rclone("purge", f"{REMOTE}/tree/with space")
for key in keys("tree/with space/"):
    gone(key)
rclone("moveto", f"{REMOTE}/piped", f"{REMOTE}/moved")
holds("moved", content(3 * MIB, "piped"))
gone("piped")
assert listed(REMOTE) == keys()
size = sum(len(content) for content in tree_of("tree").values())
assert '"count":' in rclone("size", "--json", REMOTE) and size
end()

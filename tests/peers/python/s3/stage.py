"""Where the gateway is, and what the storage repo has to hold when a script has ended.

AWS_ENDPOINT_URL and its like say where and as whom, TEST_BUCKET in which bucket. Scripts run in an
empty folder of their own.
"""

import hashlib
import json
import os
import random
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

BUCKET = os.environ["TEST_BUCKET"]
MIB = 1024 * 1024

_held = {}


def content(size, seed):
    """Bytes that no compression makes shorter, the same ones in every run."""
    return random.Random(seed).randbytes(size)


def holds(key, content):
    _held[key] = content
    return content


def gone(key):
    del _held[key]


def held(key):
    return _held[key]


def keys(prefix=""):
    return sorted(key for key in _held if key.startswith(prefix))


def end():
    """Says what has to be in every bucket."""
    digests = {key: hashlib.sha256(content).hexdigest() for key, content in _held.items()}
    Path(os.environ["TEST_WRITTEN"]).write_text(json.dumps(digests), encoding="utf-8")


def run(words, stdin=None):
    """What a command writes, which has to succeed."""
    done = subprocess.run(words, input=stdin, capture_output=True)
    assert done.returncode == 0, f"{words}: {done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout


def fails(words):
    """What a command complains of, which has to fail."""
    done = subprocess.run(words, capture_output=True)
    assert done.returncode != 0, f"{words}: {done.stdout.decode()}"
    return done.stdout.decode() + done.stderr.decode()


def http(method, url, body=None, **headers):
    """A request without any signature but that in its URL."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    # Otherwise a type would be added, which nobody signed.
    headers.setdefault("content-type", "")
    return urlopen(Request(url, data=body, method=method, headers=headers)).read()


def make_tree(folder, files):
    """Files with all that names can have, none of them younger than an hour."""
    names = ["plain", "with space", "ünïcödé", "日本語", "plus+plus", "per%20cent", "a'b\"c", "x&y=z#q?"]
    tree = {}
    for number in range(files):
        name = names[number % len(names)]
        size = 0 if number % 10 == 0 else 50 + number * 37
        path = f"{names[number // 25 % len(names)]}/{number % 3}/{name} {number}.bin"
        tree[path] = content(size, number)
        write(Path(folder) / path, tree[path])
    return tree


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    hour_ago = path.stat().st_mtime - 3600
    os.utime(path, (hour_ago, hour_ago))


def tree_of(folder):
    folder = Path(folder)
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

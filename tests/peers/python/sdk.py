"""Drives the server with the official Python SDK, unchanged.

RELACE_BASE_URL and RELACE_API_KEY say where and as whom.
"""

import asyncio
import io
import json
import os
from datetime import datetime, timedelta, timezone

import relace
from relace import AsyncRelace, Relace

client = Relace(max_retries=0)
ABSENT = "00000000-0000-4000-8000-000000000000"


def write(filename, content):
    return {"type": "write", "filename": filename, "content": content}


def diff(*operations):
    return {"type": "diff", "operations": operations}


def files_of(repo_id, **query):
    return {file.filename: file.content for file in client.repo.clone(repo_id, **query).files}


def refused(error, call):
    try:
        call()
    except error as refusal:
        body = refusal.response.json()
        assert body["message"] and body["message"] == body["error"], body
        assert refusal.response.headers["x-request-id"]
        return refusal
    raise AssertionError(f"not refused with {error.__name__}")


def create():
    empty = client.repo.create()
    assert len(empty.repo_head) == 40 and empty.changed_files is None
    assert files_of(empty.repo_id) == {}

    listed = [{"filename": "src/main.py", "content": "print('ü')\n"}, {"filename": "a", "content": ""}]
    repo = client.repo.create(
        source={"type": "files", "files": listed},
        metadata={"team": "search", "quote": "\"'\\"},
    )
    assert files_of(repo.repo_id) == {"src/main.py": "print('ü')\n", "a": ""}
    record = client.repo.get(repo.repo_id)
    assert record.repo_id == repo.repo_id and record.updated_at is None
    assert record.metadata == {"team": "search", "quote": "\"'\\"}
    assert isinstance(record.created_at, datetime)

    copy = client.repo.create(
        source={"type": "relace", "repo_id": repo.repo_id, "copy_metadata": True, "copy_remote": True}
    )
    assert copy.repo_id != repo.repo_id and copy.repo_head == repo.repo_head
    assert client.repo.get(copy.repo_id).metadata == record.metadata
    own = client.repo.create(
        source={"type": "relace", "repo_id": repo.repo_id, "copy_metadata": True},
        metadata={"own": "x"},
    )
    assert client.repo.get(own.repo_id).metadata == {"own": "x"}
    indexed = client.repo.create(source=None, metadata=None, extra_body={"auto_index": True})
    assert client.repo.get(indexed.repo_id).auto_index is True
    return repo


def update(repo):
    first = client.repo.update(
        repo.repo_id,
        source=diff(
            write("src/search.ts", "1"),
            {"type": "rename", "old_filename": "src/main.py", "new_filename": "src/app.py"},
            {"type": "delete", "filename": "a"},
        ),
        metadata={"team": "core"},
    )
    assert first.changed_files == ["src/search.ts", "src/app.py", "a"]
    assert client.repo.get(repo.repo_id).metadata == {"team": "core"}
    second = client.repo.update(
        repo.repo_id, source={"type": "files", "files": [{"filename": "b", "content": "b"}]}
    )
    assert second.changed_files == ["b", "src/app.py", "src/search.ts"]
    assert files_of(repo.repo_id) == {"b": "b"}
    assert files_of(repo.repo_id, commit=repo.repo_head) == {"src/main.py": "print('ü')\n", "a": ""}
    assert set(files_of(repo.repo_id, commit=first.repo_head)) == {"src/app.py", "src/search.ts"}

    alone = client.repo.update(repo.repo_id, metadata={})
    assert alone.repo_head == second.repo_head and alone.changed_files == []
    assert client.repo.get(repo.repo_id).metadata == {}
    same = client.repo.update(repo.repo_id, source=diff(write("b", "b")))
    assert same.repo_head == second.repo_head and same.changed_files == []
    updated = client.repo.get(repo.repo_id).updated_at
    assert updated is not None and updated.tzinfo is not None


def errors(repo):
    def edit(*operations, **more):
        return lambda: client.repo.update(repo.repo_id, source=diff(*operations), **more)

    before = client.repo.clone(repo.repo_id)
    refused(relace.NotFoundError, lambda: client.repo.get(ABSENT))
    refused(relace.NotFoundError, lambda: client.repo.get("no-uuid"))
    refused(relace.NotFoundError, edit({"type": "delete", "filename": "absent"}))
    refused(relace.NotFoundError, edit({"type": "rename", "old_filename": "x", "new_filename": "y"}))
    refused(relace.NotFoundError, lambda: client.repo.clone(repo.repo_id, commit="0" * 40))
    conflict = refused(relace.ConflictError, edit(write("b/c", "1")))
    assert conflict.response.headers["x-should-retry"] == "false"
    moved = refused(
        relace.ConflictError, edit(write("b", "1"), extra_body={"expected_head": "0" * 40})
    )
    assert len(moved.response.json()["current_head"]) == 40
    refused(relace.UnprocessableEntityError, lambda: client.repo.update(repo.repo_id))
    refused(relace.UnprocessableEntityError, edit(write(".git/config", "x")))
    refused(relace.UnprocessableEntityError, edit({"type": "patch", "filename": "b"}))
    refused(relace.UnprocessableEntityError, lambda: client.repo.clone(repo.repo_id, commit="main"))
    stranger = client.with_options(api_key="rlc-" + "x" * 32)
    refused(relace.AuthenticationError, lambda: stranger.repo.get(repo.repo_id))
    assert client.repo.clone(repo.repo_id) == before


def elsewhere():
    """TEST_GIT_URL begins the URL of any repo of the server, as if it were elsewhere."""
    base = os.environ["TEST_GIT_URL"]
    origin = client.repo.create(source={"type": "files", "files": [{"filename": "a", "content": "1"}]})
    url = f"{base}/{origin.repo_id}.git"
    made = client.repo.create(source={"type": "git", "url": url})
    assert made.repo_head == origin.repo_head and files_of(made.repo_id) == {"a": "1"}
    second = client.repo.update(origin.repo_id, source=diff(write("b", "2")))
    old = client.repo.create(
        source={"type": "git", "url": url, "branch": "main", "hash": origin.repo_head}
    )
    assert files_of(old.repo_id) == {"a": "1"}
    pulled = client.repo.update(made.repo_id, source={"type": "git", "url": url, "branch": "main"})
    assert pulled.repo_head == second.repo_head and pulled.changed_files == ["b"]
    client.repo.update(origin.repo_id, source=diff(write("a", "theirs")))
    client.repo.update(made.repo_id, source=diff(write("a", "ours")))

    def pull(**source):
        source = {"type": "git", "url": url, **source}
        return lambda: client.repo.update(made.repo_id, source=source)

    clash = refused(relace.BadRequestError, pull())
    assert "`a`" in clash.response.json()["message"]
    refused(relace.BadRequestError, pull(branch="absent"))
    refused(relace.UnprocessableEntityError, pull(url="file:///etc"))
    assert files_of(made.repo_id) == {"a": "ours", "b": "2"}


def lists():
    mark = {"mark": "lists \"ü\""}
    made = [client.repo.create(metadata=mark).repo_id for _ in range(5)]
    times = [client.repo.get(repo_id).created_at for repo_id in made]

    def found(**query):
        page = client.repo.list(filter_metadata=json.dumps(mark), **query)
        return [repo.repo_id for repo in page.items], page.total_items, page.next_page

    assert found() == (made, 5, None)
    assert found(order_by="created_at", order_descending=True) == (made[::-1], 5, None)
    assert found(page_size=2) == (made[:2], 5, 2)
    assert found(page_size=2, page_start=2) == (made[2:4], 5, 4)
    assert found(page_size=2, page_start=4) == (made[4:], 5, None)
    assert found(created_after=times[1]) == (made[2:], 3, None)
    assert found(created_before=times[1].isoformat()) == (made[:1], 1, None)
    assert found(created_after=times[0], created_before=times[4]) == (made[1:4], 3, None)
    east = timezone(timedelta(hours=5, minutes=30))
    assert found(created_after=times[3].astimezone(east)) == (made[4:], 1, None)
    assert found(created_after=None, created_before=None) == (made, 5, None)
    client.repo.update(made[0], source=diff(write("a", "a")))
    assert found(order_by="updated_at") == (made[1:] + made[:1], 5, None)
    assert client.repo.list(filter_metadata='{"mark": "none"}').items == []
    refused(relace.UnprocessableEntityError, lambda: client.repo.list(page_size=101))
    refused(relace.UnprocessableEntityError, lambda: client.repo.list(filter_metadata="[]"))


def single_files():
    repo_id = client.repo.create().repo_id
    every = bytes(range(256)) * 100
    bodies = {"bytes.bin": every, "text.txt": "ü\n".encode(), "empty": b"", "io": b"from a file"}
    uploads = {**bodies, "text.txt": "ü\n", "io": io.BytesIO(b"from a file")}
    uploads["stream"], bodies["stream"] = iter([b"part ", b"by ", b"part"]), b"part by part"
    for path, body in uploads.items():
        done = client.repo.file.upload(path, body, repo_id=repo_id)
        assert done.changed_files == [path], done
    for path, body in bodies.items():
        answer = client.repo.file.with_raw_response.download(path, repo_id=repo_id)
        assert answer.read() == body, path
        assert answer.headers["content-type"] == "application/octet-stream"
    # JSON is a file like any other.
    client.repo.file.upload("data.json", b'{"a": 1}', repo_id=repo_id)
    assert client.repo.file.download("data.json", repo_id=repo_id) == '{"a": 1}'
    for name in ["a b", "ü/漢字", "src/deep/er.py", "a+b", "a&b=c", "100%25", "-x", "a'b\"c"]:
        client.repo.file.upload(name, b"x", repo_id=repo_id)
        assert client.repo.file.with_raw_response.download(name, repo_id=repo_id).read() == b"x"
        gone = client.repo.file.delete(name, repo_id=repo_id)
        assert gone.changed_files == [name.replace("%25", "%")], gone
        refused(relace.NotFoundError, lambda: client.repo.file.delete(name, repo_id=repo_id))
    again = client.repo.file.with_raw_response.upload("empty", b"1", repo_id=repo_id)
    assert again.status_code == 200
    new = client.repo.file.with_raw_response.upload("new", b"1", repo_id=repo_id)
    assert new.status_code == 201
    refused(relace.NotFoundError, lambda: client.repo.file.download("absent", repo_id=repo_id))
    refused(relace.ConflictError, lambda: client.repo.file.upload("new/x", b"1", repo_id=repo_id))


def delete(repo):
    assert client.repo.delete(repo.repo_id) is None
    refused(relace.NotFoundError, lambda: client.repo.get(repo.repo_id))
    refused(relace.NotFoundError, lambda: client.repo.delete(repo.repo_id))


async def asynchronously():
    async with AsyncRelace(max_retries=0) as together:
        repo = await together.repo.create(metadata={"mode": "async"})
        edits = [
            together.repo.update(repo.repo_id, source=diff(write(f"f{n}", str(n)))) for n in range(20)
        ]
        heads = {done.repo_head for done in await asyncio.gather(*edits)}
        assert len(heads) == 20
        clone = await together.repo.clone(repo.repo_id)
        assert {file.filename: file.content for file in clone.files} == {
            f"f{n}": str(n) for n in range(20)
        }
        await together.repo.file.upload("up", b"load", repo_id=repo.repo_id)
        assert await together.repo.file.download("up", repo_id=repo.repo_id) == "load"
        page = await together.repo.list(filter_metadata='{"mode": "async"}')
        assert [found.repo_id for found in page.items] == [repo.repo_id]
        await together.repo.delete(repo.repo_id)


repo = create()
update(repo)
errors(repo)
elsewhere()
lists()
single_files()
delete(repo)
asyncio.run(asynchronously())
print("python sdk", relace.__version__, "done")

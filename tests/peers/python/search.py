"""Drives search with the official Python SDK, unchanged, whatever its version.

RELACE_BASE_URL and RELACE_API_KEY say where and as whom, TEST_SDK_VERSION which version it is.
"""

import asyncio
import os

import relace
from relace import AsyncRelace, Relace

client = Relace(max_retries=0)
FILES = {
    "src/retry.py": "def backoff_delay(attempt):\n    return 2 ** attempt\n",
    "src/client.py": "from retry import backoff_delay\n\nsleep(backoff_delay(1))\n",
    "README.md": "# Nothing to see\n",
}
QUERY = "where is backoff_delay defined?"


def create(of, **more):
    files = [{"filename": path, "content": text} for path, text in FILES.items()]
    return of.repo.create(source={"type": "files", "files": files}, **more)


def refused(error, call):
    try:
        call()
    except error:
        return
    raise AssertionError(f"not refused with {error.__name__}")


def check(events):
    assert events[0]["event"] == "started" and events[0]["data"]["prompt_id"]
    assert events[-1] == {"event": "done", "data": {}}, events[-1]
    assert {event["event"] for event in events[1:-1]} == {"tool"}
    calls = [event["data"]["name"] for event in events[1:-1]]
    assert calls == ["grep_search", "view_file", "view_file", "report_back"], calls
    report = events[-2]["data"]
    assert report["files"] == {"src/retry.py": [[1, 2]], "src/client.py": [[1, 3]]}, report
    assert list(report["files"]) and report["explanation"]


def search():
    repo_id = create(client).repo_id
    check(list(client.repo.search(repo_id, query=QUERY)))
    refused(relace.UnprocessableEntityError, lambda: client.repo.search(repo_id, query=""))
    absent = "00000000-0000-4000-8000-000000000000"
    refused(relace.NotFoundError, lambda: client.repo.search(absent, query=QUERY))
    return repo_id


def agent(repo_id):
    def ask(name, **more):
        return client.repo.agent(repo_id, agent_name=name, agent_inputs={"query": QUERY}, **more)

    check(list(ask("relace-search")))
    check(list(ask("relace-search", continue_=False, overrides={"max_turns": 4, "tools": None})))
    refused(relace.UnprocessableEntityError, lambda: ask("code_review"))


def retrieve(repo_id):
    ask = lambda: client.repo.retrieve(repo_id, query=QUERY)
    refused(relace.NotFoundError, ask)
    made = create(client, auto_index=True)
    found = client.repo.retrieve(made.repo_id, query=QUERY, include_content=True)
    assert found.hash == made.repo_head and found.pending_embeddings == 0
    best = found.results[0]
    assert best.filename == "src/retry.py" and 0.3 <= best.score < 1
    assert best.content == FILES["src/retry.py"]
    more = {"score_threshold": 0.0, "token_limit": 30000, "rerank": False, "include_content": False}
    found = client.repo.retrieve(made.repo_id, query=QUERY, branch="main", hash=None, **more)
    assert {file.filename for file in found.results} == {"src/retry.py", "src/client.py"}
    assert all(file.content is None for file in found.results)
    for query in [{}, {"branch": "main"}, {"hash": made.repo_head}, {"branch": None}]:
        status = client.repo.embedding_status(made.repo_id, **query)
        counts = (status.completed_embeddings, status.pending_embeddings)
        assert (status.hash, counts) == (made.repo_head, (3, 0)), status


async def asynchronously(repo_id):
    async with AsyncRelace(max_retries=0) as other:
        check([event async for event in await other.repo.search(repo_id, query=QUERY)])


expected = os.environ["TEST_SDK_VERSION"]
assert relace.__version__ == expected, f"{relace.__version__}, not {expected}"
repo_id = search()
asyncio.run(asynchronously(repo_id))
if hasattr(client.repo, "retrieve"):
    agent(repo_id)
    retrieve(repo_id)

"""Drives repo tokens and webhooks with the official Python SDK, unchanged, whatever its version.

RELACE_BASE_URL and RELACE_API_KEY say where and as whom, TEST_WEBHOOK_URL where events may go.
"""

import asyncio
import os
from datetime import datetime, timedelta, timezone

import relace
from relace import AsyncRelace, Relace

client = Relace(max_retries=0)
HOOK = os.environ["TEST_WEBHOOK_URL"]


def refused(error, call):
    try:
        call()
    except error:
        return
    raise AssertionError(f"not refused with {error.__name__}")


def write(of, repo_id):
    operations = [{"type": "write", "filename": "a", "content": str(datetime.now())}]
    return of.repo.update(repo_id, source={"type": "diff", "operations": operations})


def tokens():
    named, other = client.repo.create().repo_id, client.repo.create().repo_id
    made = client.repo_token.create(name="agent", repo_ids=[named])
    assert made.token.startswith("rlcr-") and made.name == "agent"
    assert made.repo_ids == [named] and made.expires_at is None
    found = client.repo_token.get(made.token)
    assert found.name == "agent" and found.repo_ids == [named] and found.expires_at is None

    holder = client.with_options(api_key=made.token)
    assert holder.repo.get(named).repo_id == named
    assert write(holder, named).changed_files == ["a"]
    refused(relace.NotFoundError, lambda: holder.repo.get(other))
    refused(relace.PermissionDeniedError, lambda: holder.repo.list())
    refused(relace.PermissionDeniedError, lambda: holder.repo_token.get(made.token))
    create = lambda: holder.repo_token.create(name="child", repo_ids=[named])
    refused(relace.PermissionDeniedError, create)

    brief = client.repo_token.create(name="brief", repo_ids=[named, other], ttl_seconds=3600)
    assert sorted(brief.repo_ids) == sorted([named, other])
    left = brief.expires_at - datetime.now(timezone.utc)
    assert timedelta(minutes=59) < left <= timedelta(hours=1), left
    assert client.repo_token.get(brief.token).expires_at == brief.expires_at
    read = client.repo_token.create(name="r", repo_ids=[named], extra_body={"access": "READ"})
    reader = client.with_options(api_key=read.token)
    assert reader.repo.clone(named).files
    refused(relace.PermissionDeniedError, lambda: write(reader, named))

    assert client.repo_token.delete(made.token) is None
    refused(relace.AuthenticationError, lambda: holder.repo.get(named))
    refused(relace.NotFoundError, lambda: client.repo_token.get(made.token))
    refused(relace.NotFoundError, lambda: client.repo_token.delete(made.token))
    empty = lambda: client.repo_token.create(name="agent", repo_ids=[])
    refused(relace.UnprocessableEntityError, empty)


def webhooks():
    refused(relace.NotFoundError, lambda: client.repo_webhook.get())
    assert client.repo_webhook.set(url=HOOK) is None
    assert client.repo_webhook.get().has_token is False
    assert client.repo_webhook.delete() is None
    refused(relace.NotFoundError, lambda: client.repo_webhook.delete())
    assert client.repo_webhook.set(url=HOOK, token="let-me-in") is None
    found = client.repo_webhook.get()
    assert found.url == HOOK and found.has_token is True
    assert isinstance(found.updated_at, datetime)
    # The receiver waits for what comes of this.
    told = write(client, client.repo.create(metadata={"told": "yes"}).repo_id)
    print("told", told.repo_head)
    inside = lambda: client.repo_webhook.set(url="https://169.254.169.254/latest")
    refused(relace.UnprocessableEntityError, inside)


async def at_once():
    other = AsyncRelace(max_retries=0)
    repo = await other.repo.create()
    made = await other.repo_token.create(name="async", repo_ids=[repo.repo_id], ttl_seconds=None)
    assert (await other.repo_token.get(made.token)).repo_ids == [repo.repo_id]
    assert await other.repo_token.delete(made.token) is None
    assert (await other.repo_webhook.get()).has_token is True


def versions():
    expected = os.environ["TEST_SDK_VERSION"]
    assert relace.__version__ == expected, f"{relace.__version__}, not {expected}"


versions()
tokens()
webhooks()
asyncio.run(at_once())

"""Who schemathesis is, and what is no request. No answer is judged or changed here."""

import os
import subprocess
from urllib.parse import urlencode

import schemathesis


@schemathesis.auth(refresh_interval=None)
class Token:
    """The owner's token; a fresh one of another user for the operations on tokens.

    `revoke_token` may revoke the very token it is called with, as the contract says. Schemathesis
    finds that out by itself, and every later request would only be told 401.
    """

    def get(self, case, context):
        if "tokens" not in (context.operation.tags or []):
            return os.environ["OWNER_TOKEN"]
        command = [os.environ["SUBJECT"], "token", "create", "--user", "tokens@localhost"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def filter_case(context, case):
    """Leaves out URLs that are too long for any operation, as the contract says of all of them."""
    return len(urlencode(case.query or {}, doseq=True)) < 60_000

"""Who schemathesis is. Only the credentials are chosen here; no answer is judged or changed."""

import os
import subprocess

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

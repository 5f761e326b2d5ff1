"""What cases are made of: a bucket, what has to be refused, and requests that boto3 would not send."""

import hashlib
import http.client
import os
import re
from functools import partial, wraps
from urllib.parse import urlsplit

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

MIB = 1024 * 1024
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
KEY = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
# The bucket of a repo whose buckets are given; without one, cases make buckets.
GIVEN = os.environ.get("TEST_BUCKET")

s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
cases = []
# Buckets that cases have made.
made = []


def case(run):
    cases.append((f"{run.__module__.rpartition('.')[2]}.{run.__name__}", run))
    return run


def rows(*table):
    """One case for each row."""

    def rows_of(run):
        for number, row in enumerate(table):
            row = row if isinstance(row, tuple) else (row,)
            name = f"{run.__module__.rpartition('.')[2]}.{run.__name__}[{number}: {row[0]!r:.40}]"

            @wraps(run)
            def one(bucket, row=row):
                run(bucket, *row)

            cases.append((name, one))
        return run

    return rows_of


def with_own_buckets(run):
    """For what only a repo allows whose clients make buckets."""
    run.needs = "own buckets"
    return run


def applies(run):
    return not (GIVEN and getattr(run, "needs", None))


class Bucket:
    """Calls of boto3, about one bucket."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, call):
        return partial(getattr(s3, call), Bucket=self.name)

    def put(self, key, content=b"content", **more):
        return self.put_object(Key=key, Body=content, **more)

    def fill(self, *keys):
        for key in keys:
            self.put(key, key.encode())

    def read(self, key, **more):
        return self.get_object(Key=key, **more)["Body"].read()

    def keys(self, **more):
        return [found["Key"] for found in self.list_objects_v2(**more).get("Contents", [])]

    def is_absent(self, key):
        refused(404, "NoSuchKey", self.get_object, Key=key)


def empty_bucket(number):
    """A bucket for a case."""
    return Bucket(GIVEN) if GIVEN else new_bucket(f"case-{number}")


def clean_up():
    """Leaves nothing of a case."""
    if GIVEN:
        emptied(Bucket(GIVEN))
    while made:
        bucket = made.pop()
        if bucket.name in [found["Name"] for found in s3.list_buckets()["Buckets"]]:
            emptied(bucket).delete_bucket()


def emptied(bucket):
    while found := bucket.keys():
        # XML cannot say all that a name can.
        for key in [key for key in found if not key.isprintable()]:
            bucket.delete_object(Key=key)
        said = [{"Key": key} for key in found if key.isprintable()]
        if said:
            bucket.delete_objects(Delete={"Objects": said})
    for upload in bucket.list_multipart_uploads().get("Uploads", []):
        bucket.abort_multipart_upload(Key=upload["Key"], UploadId=upload["UploadId"])
    return bucket


def new_bucket(name):
    s3.create_bucket(Bucket=name)
    made.append(Bucket(name))
    return made[-1]


def refused(status, code, call, **arguments):
    """Status and code of a refusal have to be these. Answers without a body have their status as code."""
    try:
        answer = call(**arguments)
    except ClientError as refusal:
        answer = refusal.response
        found = (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"])
        assert found == (status, code), f"{found}: {answer['Error'].get('Message')}"
        return answer
    raise AssertionError(f"not refused: {answer}")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def refusal(self):
        return self.status, self.element("Code")

    def element(self, name):
        found = re.search(f"<{name}>(.*?)</{name}>", self.body.decode(), re.DOTALL)
        return found and found[1]


class Signer(S3SigV4Auth):
    def payload(self, request):
        """What the content is said to be need not be what it is."""
        return self.said or hashlib.sha256(request.body or b"").hexdigest()

    def add_auth(self, request):
        self.said = request.headers.get("x-amz-content-sha256")
        super().add_auth(request)


def raw(method, path, body=b"", sign=True, key=KEY, without=(), **headers):
    """A request as it is said here: what is `later_*` is added behind the signature, `without` removed."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    later = {n.removeprefix("later-"): v for n, v in headers.items() if n.startswith("later-")}
    headers = {n: v for n, v in headers.items() if not n.startswith("later-")}
    if sign:
        request = AWSRequest(method, ENDPOINT + path, headers, body)
        Signer(key, "s3", "us-east-1").add_auth(request)
        headers = dict(request.headers)
    headers = {name: value for name, value in {**headers, **later}.items() if name.lower() not in without}
    return wire(method, path, body, headers)


def wire(method, path, body, headers):
    connection = http.client.HTTPConnection(urlsplit(ENDPOINT).netloc, timeout=30)
    connection.putrequest(method, path, skip_accept_encoding=True)
    if "content-length" not in headers and method in ["PUT", "POST"]:
        headers = {**headers, "content-length": str(len(body))}
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value.encode())
    connection.endheaders(body)
    return Answer(connection.getresponse())

"""Moves known numbers of bytes through the gateway with boto3, and says how many it were."""

import io
import json
import os
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from stage import BUCKET, MIB, content

s3 = boto3.client("s3")
counted = {"up": 0, "down": 0, "size": 0}


def put(key, size, before=0):
    s3.put_object(Bucket=BUCKET, Key=key, Body=content(size, key))
    counted["up"] += size
    counted["size"] += size - before


def get(key, **more):
    counted["down"] += len(s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read())


def delete(key, size):
    s3.delete_object(Bucket=BUCKET, Key=key)
    counted["size"] -= size


def refused(call, **arguments):
    """What is refused before a byte of it was taken counts for nothing."""
    try:
        call(Bucket=BUCKET, **arguments)
    except ClientError:
        return
    raise AssertionError(f"{arguments} is not refused")


put("a", 1_000_003)
put("a", 999, before=1_000_003)
put("empty", 0)
put("b", 70_001)
get("a")
get("b", Range="bytes=5-104")
get("b", Range="bytes=-1")
get("empty")
s3.head_object(Bucket=BUCKET, Key="b")
s3.list_objects_v2(Bucket=BUCKET)
refused(s3.get_object, Key="none")
refused(s3.get_object, Key="b", Range="bytes=70001-")
refused(s3.put_object, Key="b", Body=b"", IfNoneMatch="*")
delete("a", 999)
delete("none", 0)

# A copy moves no bytes of the client's, but makes an object.
s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/b")
counted["size"] += 70_001
answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "copy"}, {"Key": "empty"}]})
counted["size"] -= 70_001

size = 17 * MIB + 5
s3.upload_fileobj(io.BytesIO(content(size, "large")), BUCKET, "large")
counted["up"] += size
counted["size"] += size
back = io.BytesIO()
s3.download_fileobj(BUCKET, "large", back)
counted["down"] += len(back.getvalue())
get("large", PartNumber=3)

upload = {"Bucket": BUCKET, "Key": "parts"}
upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
s3.upload_part(**upload, PartNumber=1, Body=content(100, "lost"))
s3.upload_part(**upload, PartNumber=1, Body=content(200, "lost"))
s3.upload_part_copy(**upload, PartNumber=2, CopySource=f"{BUCKET}/b")
counted["up"] += 300
s3.abort_multipart_upload(**upload)
delete("large", size)

Path(os.environ["TEST_WRITTEN"]).write_text(json.dumps(counted), encoding="utf-8")

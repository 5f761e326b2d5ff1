"""Buckets that clients make, and settings of buckets that there are not."""

from .case import GIVEN, KEY, case, new_bucket, raw, refused, rows, s3, with_own_buckets


@case
@with_own_buckets
def come_and_go(bucket):
    names = [found["Name"] for found in s3.list_buckets()["Buckets"]]
    assert bucket.name in names
    assert bucket.head_bucket()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert bucket.delete_bucket()["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(404, "404", bucket.head_bucket)
    refused(404, "NoSuchBucket", bucket.delete_bucket)
    refused(404, "NoSuchBucket", bucket.put_object, Key="a", Body=b"")
    assert bucket.name not in [found["Name"] for found in s3.list_buckets()["Buckets"]]


@case
@with_own_buckets
def are_made_once(bucket):
    bucket.put("a")
    refused(409, "BucketAlreadyOwnedByYou", s3.create_bucket, Bucket=bucket.name)
    assert bucket.keys() == ["a"]


@case
@with_own_buckets
def with_objects_stay(bucket):
    bucket.put("a")
    refused(409, "BucketNotEmpty", bucket.delete_bucket)
    bucket.delete_object(Key="a")
    bucket.delete_bucket()
    again = new_bucket(bucket.name)
    assert again.keys() == []


@rows("ab", "x" * 64, "Upper", "under_score", "two..dots", "-first", "last-", "192.168.5.4", ".dot",
      "dot.-dash", "dash-.dot")
@with_own_buckets
def of_names_that_there_are_not(bucket, name):
    assert raw("PUT", f"/{name}").refusal == (400, "InvalidBucketName")


@rows("abc", "x" * 63, "with.dots", "with-dash", "0123")
@with_own_buckets
def of_names_that_there_are(bucket, name):
    made = new_bucket(name)
    made.put("a")
    assert made.keys() == ["a"]


@case
def have_a_place(bucket):
    assert bucket.get_bucket_location()["LocationConstraint"] == "local"
    assert bucket.head_bucket()["BucketRegion"] == "local"


@case
def have_one_owner_who_may_do_all(bucket):
    owner = s3.list_buckets()["Owner"]["ID"]
    bucket.put("a")
    for acl in [bucket.get_bucket_acl(), bucket.get_object_acl(Key="a")]:
        assert acl["Owner"]["ID"] == owner
        assert [(grant["Grantee"]["ID"], grant["Permission"]) for grant in acl["Grants"]] == [(owner, "FULL_CONTROL")]
    bucket.put_object_acl(Key="a", ACL="private")
    bucket.put_bucket_acl(ACL="private")
    refused(403, "AccessDenied", bucket.list_objects_v2, ExpectedBucketOwner="123456789012")
    bucket.list_objects_v2(ExpectedBucketOwner=owner)


@rows("public-read", "public-read-write", "authenticated-read")
def give_nothing_to_the_public(bucket, acl):
    code = "AccessControlListNotSupported"
    refused(400, code, bucket.put_object, Key="a", Body=b"", ACL=acl)
    refused(400, code, bucket.put_bucket_acl, ACL=acl)
    assert bucket.keys() == []
    bucket.put("a")
    refused(400, code, bucket.put_object_acl, Key="a", ACL=acl)


@rows(
    ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
    ("get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_policy_status", "NoSuchBucketPolicy"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_bucket_tagging", "NoSuchTagSet"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
)
def lack_a_setting(bucket, call, code):
    refused(404, code, getattr(bucket, call))
    refused(404, "NoSuchBucket", getattr(s3, call), Bucket="no-such-bucket")


@rows("get_bucket_versioning", "get_bucket_logging", "get_bucket_accelerate_configuration",
      "get_bucket_notification_configuration")
def have_an_empty_setting(bucket, call):
    answer = getattr(bucket, call)()
    assert set(answer) == {"ResponseMetadata"}, answer


@case
def are_paid_for_by_their_owner(bucket):
    assert bucket.get_bucket_request_payment()["Payer"] == "BucketOwner"


RULE = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}


@rows(
    ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
    ("put_bucket_cors", {"CORSConfiguration": {"CORSRules": [RULE]}}),
    ("put_bucket_policy", {"Policy": "{}"}),
    ("put_bucket_tagging", {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
    ("put_bucket_website", {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "a"}}}),
    ("put_bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
    ("delete_bucket_policy", {}),
    ("delete_bucket_cors", {}),
)
def take_no_settings(bucket, call, more):
    refused(501, "NotImplemented", getattr(bucket, call), **more)


@rows(
    ({"ServerSideEncryption": "AES256"}, (501, "NotImplemented")),
    ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "x"}, (501, "NotImplemented")),
    ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "x" * 32}, (501, "NotImplemented")),
    ({"ObjectLockMode": "GOVERNANCE"}, (501, "NotImplemented")),
    ({"ObjectLockLegalHoldStatus": "ON"}, (501, "NotImplemented")),
    ({"WebsiteRedirectLocation": "/b"}, (501, "NotImplemented")),
    ({"GrantRead": "id=x"}, (501, "NotImplemented")),
    ({"StorageClass": "GLACIER"}, (400, "InvalidStorageClass")),
)
def promise_nothing_that_they_do_not_hold(bucket, more, refusal):
    try:
        refused(*refusal, bucket.put_object, Key="a", Body=b"", **more)
    finally:
        assert bucket.keys() == []


@case
def have_names_that_are_not_free(bucket):
    if GIVEN:
        refused(409, "BucketAlreadyOwnedByYou", s3.create_bucket, Bucket=bucket.name)
    assert KEY

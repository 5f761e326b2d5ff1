-- What went through storage repos. Without a bucket (an empty bucket_id): what clients moved through the
-- repo. With one: what moved between a server and that bucket. An empty key_id: no access key was used.
-- node is the address of the server that counted; latency is a sum of microseconds.
CREATE TABLE usage_minutes (
    at          BIGINT NOT NULL,
    repo_id     TEXT   NOT NULL,
    bucket_id   TEXT   NOT NULL,
    key_id      TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    up          BIGINT NOT NULL,
    down        BIGINT NOT NULL,
    size_change BIGINT NOT NULL,
    requests    BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    latency     BIGINT NOT NULL,
    PRIMARY KEY (repo_id, bucket_id, key_id, node, at)
);
CREATE INDEX usage_minutes_bucket ON usage_minutes (bucket_id, at);
CREATE INDEX usage_minutes_at ON usage_minutes (at);

-- The same by the day (UTC). Days that are too old to be asked for are added up at 0.
CREATE TABLE usage_days (
    at          BIGINT NOT NULL,
    repo_id     TEXT   NOT NULL,
    bucket_id   TEXT   NOT NULL,
    key_id      TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    up          BIGINT NOT NULL,
    down        BIGINT NOT NULL,
    size_change BIGINT NOT NULL,
    requests    BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    latency     BIGINT NOT NULL,
    PRIMARY KEY (repo_id, bucket_id, key_id, node, at)
);
CREATE INDEX usage_days_bucket ON usage_days (bucket_id, at);
CREATE INDEX usage_days_at ON usage_days (at);

-- How buckets answered a server on a day (UTC). latency is a sum of microseconds over the checks that
-- were answered; last_latency is null if the last one was not.
CREATE TABLE bucket_sights (
    bucket_id    TEXT   NOT NULL REFERENCES buckets (id),
    node         TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    region       TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    checks       BIGINT NOT NULL,
    answered     BIGINT NOT NULL,
    latency      BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    last_latency BIGINT,
    PRIMARY KEY (bucket_id, node, at)
);
CREATE INDEX bucket_sights_at ON bucket_sights (at);

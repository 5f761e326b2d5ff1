ALTER TABLE storage_repos ADD COLUMN min_ack BIGINT;
ALTER TABLE storage_repos ADD COLUMN retention_days BIGINT;

-- Namespaces of objects: one of a MIRROR or BACKUP repo, one per member of a NORMAL one, which
-- `bucket_id` names then. Set aside, rather than deleted, so that a job can clear it away.
CREATE TABLE spaces (
    id         TEXT   NOT NULL PRIMARY KEY,
    repo_id    TEXT   NOT NULL REFERENCES storage_repos (id),
    bucket_id  TEXT,
    created_at BIGINT NOT NULL,
    gone_at    BIGINT
);
CREATE INDEX spaces_repo ON spaces (repo_id) WHERE gone_at IS NULL;

-- The buckets that hold copies of a space's objects. Until it is surveyed, nobody knows what a copy
-- holds, and it is not read from but for what was written since.
CREATE TABLE copies (
    space_id     TEXT   NOT NULL REFERENCES spaces (id),
    bucket_id    TEXT   NOT NULL REFERENCES buckets (id),
    surveyed_at  BIGINT,
    read_at      BIGINT,
    PRIMARY KEY (space_id, bucket_id)
);

-- The truth about objects. `about` is JSON. A deleted one stays as long as a copy may be left.
CREATE TABLE objects (
    space_id    TEXT   NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    version     TEXT   NOT NULL,
    deleted     BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    etag        TEXT   NOT NULL,
    about       TEXT   NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (space_id, key)
);

-- Who is about to change a key, and to what: at most one at a time. What a crash leaves is rolled
-- forward.
CREATE TABLE intents (
    space_id    TEXT   NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    version     TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,
    object      TEXT,
    PRIMARY KEY (space_id, key)
);
CREATE INDEX intents_lease ON intents (lease_until);

-- A bucket that does not surely hold the current version of a key. What it has there is `damaged` if
-- it looks right and is not.
CREATE TABLE debts (
    space_id    TEXT   NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    bucket_id   TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    damaged     BIGINT NOT NULL,
    last_error  TEXT,
    PRIMARY KEY (space_id, key, bucket_id)
);
CREATE INDEX debts_due ON debts (bucket_id, due_at);

-- Objects that come in parts; the id of each is the version that it will be. `sealed` is the ETag that it
-- was told to become: from then on it becomes that or nothing. An ended one stays until its buckets have
-- forgotten it.
CREATE TABLE uploads (
    id         TEXT   NOT NULL PRIMARY KEY,
    space_id   TEXT   NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    key_id     TEXT   NOT NULL,
    about      TEXT   NOT NULL,
    changes    BIGINT NOT NULL,
    sealed     TEXT,
    created_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX uploads_key ON uploads (space_id, key, id) WHERE ended_at IS NULL;
CREATE INDEX uploads_touched ON uploads (touched_at) WHERE ended_at IS NULL;
CREATE INDEX uploads_ended ON uploads (ended_at) WHERE ended_at IS NOT NULL;

-- Where an upload's parts go; `upload` is what the bucket knows it by. A bucket that missed one is lost to
-- the upload and owes a debt at its end.
CREATE TABLE upload_copies (
    upload_id TEXT   NOT NULL REFERENCES uploads (id),
    bucket_id TEXT   NOT NULL,
    upload    TEXT   NOT NULL,
    lost      BIGINT NOT NULL,
    PRIMARY KEY (upload_id, bucket_id)
);

-- `tags` is what each bucket calls the part, as JSON.
CREATE TABLE upload_parts (
    upload_id   TEXT   NOT NULL REFERENCES uploads (id),
    number      BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    etag        TEXT   NOT NULL,
    about       TEXT   NOT NULL,
    tags        TEXT   NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (upload_id, number)
);

-- Long work on a storage repo that people ask for or wait for, with how far it has come.
CREATE TABLE storage_jobs (
    id          TEXT   NOT NULL PRIMARY KEY,
    repo_id     TEXT   NOT NULL,
    space_id    TEXT   NOT NULL,
    bucket_id   TEXT,
    kind        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    asked       TEXT   NOT NULL,
    cursor      TEXT,
    total       BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    found       BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    message     TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX storage_jobs_repo ON storage_jobs (repo_id, id);

-- Secrets are sealed before they come here. A name is unique among what is not deleted.
CREATE TABLE buckets (
    id           TEXT   NOT NULL PRIMARY KEY,
    org_id       TEXT   NOT NULL REFERENCES orgs (id),
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    name         TEXT   NOT NULL,
    storage_type TEXT   NOT NULL,
    bucket       TEXT   NOT NULL,
    endpoint     TEXT,
    region       TEXT,
    access_key   TEXT,
    sealed       BLOB,
    project      TEXT,
    wallet       TEXT,
    status       TEXT   NOT NULL,
    status_at    BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    deleted_at   BIGINT
);
CREATE UNIQUE INDEX buckets_name ON buckets (org_id, name) WHERE deleted_at IS NULL;
CREATE INDEX buckets_org ON buckets (org_id, id) WHERE deleted_at IS NULL;
CREATE INDEX buckets_workspace ON buckets (workspace_id, id) WHERE deleted_at IS NULL;

CREATE TABLE storage_repos (
    id           TEXT   NOT NULL PRIMARY KEY,
    org_id       TEXT   NOT NULL REFERENCES orgs (id),
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    name         TEXT   NOT NULL,
    storage_type TEXT   NOT NULL,
    mode         TEXT   NOT NULL,
    disabled     BIGINT NOT NULL,
    wallet       TEXT,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    deleted_at   BIGINT
);
CREATE UNIQUE INDEX storage_repos_name ON storage_repos (workspace_id, name)
    WHERE deleted_at IS NULL;
CREATE INDEX storage_repos_org ON storage_repos (org_id, id) WHERE deleted_at IS NULL;

-- The buckets of the storage repos that are not deleted, in the order they were given.
CREATE TABLE storage_members (
    repo_id    TEXT   NOT NULL REFERENCES storage_repos (id),
    position   BIGINT NOT NULL,
    bucket_id  TEXT   NOT NULL REFERENCES buckets (id),
    folder     TEXT   NOT NULL,
    is_primary BIGINT NOT NULL,
    PRIMARY KEY (repo_id, position)
);
CREATE UNIQUE INDEX storage_members_place ON storage_members (bucket_id, folder);

CREATE TABLE access_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    repo_id    TEXT   NOT NULL REFERENCES storage_repos (id),
    name       TEXT   NOT NULL,
    access     TEXT   NOT NULL,
    access_key TEXT   NOT NULL,
    sealed     BLOB   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX access_keys_key ON access_keys (access_key);
CREATE INDEX access_keys_repo ON access_keys (repo_id, id);

CREATE TABLE ai_llms (
    id            TEXT   NOT NULL PRIMARY KEY,
    org_id        TEXT   NOT NULL REFERENCES orgs (id),
    workspace_id  TEXT   NOT NULL REFERENCES workspaces (id),
    user_id       TEXT   NOT NULL REFERENCES users (id),
    name          TEXT   NOT NULL,
    ai_type       TEXT   NOT NULL,
    endpoint      TEXT   NOT NULL,
    shown_key     TEXT,
    sealed_key    BLOB,
    sealed_secret BLOB,
    created_at    BIGINT NOT NULL
);
CREATE INDEX ai_llms_org ON ai_llms (org_id, id);

CREATE TABLE storage_ai_llms (
    repo_id   TEXT   NOT NULL REFERENCES storage_repos (id),
    position  BIGINT NOT NULL,
    ai_llm_id TEXT   NOT NULL REFERENCES ai_llms (id),
    PRIMARY KEY (repo_id, position)
);
CREATE UNIQUE INDEX storage_ai_llms_once ON storage_ai_llms (ai_llm_id, repo_id);

-- Of their secrets only hashes are kept.
CREATE TABLE ai_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    repo_id    TEXT   NOT NULL REFERENCES storage_repos (id),
    name       TEXT   NOT NULL,
    ai_type    TEXT   NOT NULL,
    api_key    TEXT   NOT NULL,
    hash       BLOB   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ai_keys_key ON ai_keys (api_key);
CREATE INDEX ai_keys_repo ON ai_keys (repo_id, id);

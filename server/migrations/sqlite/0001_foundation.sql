-- Times are microseconds since the epoch, ids are UUID texts, booleans are 0 or 1.
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE orgs (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX orgs_name ON orgs (name);

CREATE TABLE users (
    id         TEXT   NOT NULL PRIMARY KEY,
    org_id     TEXT   NOT NULL REFERENCES orgs (id),
    email      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    last_name  TEXT   NOT NULL,
    org_role   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX users_email ON users (org_id, email) WHERE deleted_at IS NULL;

CREATE TABLE workspaces (
    id         TEXT   NOT NULL PRIMARY KEY,
    org_id     TEXT   NOT NULL REFERENCES orgs (id),
    name       TEXT   NOT NULL,
    is_default BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX workspaces_org ON workspaces (org_id);

CREATE TABLE workspace_users (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    user_id      TEXT NOT NULL REFERENCES users (id),
    role         TEXT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX workspace_users_user ON workspace_users (user_id);

CREATE TABLE tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    shown      TEXT   NOT NULL,
    lookup     TEXT   NOT NULL,
    hash       BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_lookup ON tokens (lookup);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE audit_events (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at           BIGINT  NOT NULL,
    org_id       TEXT    NOT NULL REFERENCES orgs (id),
    user_id      TEXT,
    context      BIGINT  NOT NULL,
    context_id   TEXT    NOT NULL,
    action       BIGINT  NOT NULL,
    workspace_id TEXT,
    data         TEXT
);
CREATE INDEX audit_events_org ON audit_events (org_id, id);

CREATE TABLE jobs (
    id           TEXT   NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    due_at       BIGINT NOT NULL,
    lease_owner  TEXT,
    lease_until  BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    last_error   TEXT,
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_subject ON jobs (kind, subject);
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE source_repos (
    id           TEXT   NOT NULL PRIMARY KEY,
    org_id       TEXT   NOT NULL REFERENCES orgs (id),
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT,
    metadata     TEXT,
    auto_index   BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    bundles      BIGINT NOT NULL,
    bundle_bytes BIGINT NOT NULL,
    deleted_at   BIGINT
);
CREATE INDEX source_repos_created ON source_repos (org_id, created_at, id);
CREATE INDEX source_repos_updated ON source_repos (org_id, updated_at, id);

-- The source repos that a repo token reaches.
CREATE TABLE token_repos (
    token_id TEXT NOT NULL REFERENCES tokens (id),
    repo_id  TEXT NOT NULL REFERENCES source_repos (id),
    PRIMARY KEY (token_id, repo_id)
);
CREATE INDEX token_repos_repo ON token_repos (repo_id);

-- Finds source repos by their metadata; the column holds the same pairs. Names and
-- values are JSON texts here.
CREATE TABLE source_repo_metadata (
    repo_id TEXT NOT NULL REFERENCES source_repos (id),
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (repo_id, name)
);
CREATE INDEX source_repo_metadata_value ON source_repo_metadata (value);

CREATE TABLE source_refs (
    repo_id TEXT NOT NULL REFERENCES source_repos (id),
    name    TEXT NOT NULL,
    oid     TEXT NOT NULL,
    PRIMARY KEY (repo_id, name)
);

-- The packs of a source repo. A row with seq S holds what was new with change S;
-- a base row holds everything up to its seq. The bytes are here, or in the
-- object store under object_key.
CREATE TABLE source_packs (
    repo_id    TEXT   NOT NULL REFERENCES source_repos (id),
    seq        BIGINT NOT NULL,
    is_base    BIGINT NOT NULL,
    pack       BLOB,
    object_key TEXT,
    bytes      BIGINT NOT NULL,
    PRIMARY KEY (repo_id, seq)
);
CREATE INDEX source_packs_object ON source_packs (object_key);

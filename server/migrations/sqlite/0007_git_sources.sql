-- History taken from elsewhere may begin late: the commits whose parents were left out, as 40
-- hexadecimal digits each, with spaces between.
ALTER TABLE source_repos ADD COLUMN cuts TEXT NOT NULL DEFAULT '';

-- Repos that are being made from repositories elsewhere, or were lately. Whoever works on one writes
-- down every few seconds that it is still at it. Nothing of the URL is kept.
CREATE TABLE source_imports (
    id            TEXT   NOT NULL PRIMARY KEY,
    org_id        TEXT   NOT NULL REFERENCES orgs (id),
    workspace_id  TEXT   NOT NULL REFERENCES workspaces (id),
    state         TEXT   NOT NULL,
    phase         TEXT   NOT NULL,
    objects       BIGINT NOT NULL,
    objects_total BIGINT NOT NULL,
    bytes         BIGINT NOT NULL,
    repo_id       TEXT,
    head          TEXT,
    message       TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    finished_at   BIGINT
);

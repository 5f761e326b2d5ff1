-- The most that a repo token allows on the repos it names: READ or WRITE.
ALTER TABLE tokens ADD COLUMN access TEXT NOT NULL DEFAULT 'WRITE';

-- Where to tell of changes of source repos: of one repo, or of all that the user sees when there is
-- no repo_id. That one refers to nothing, since deliveries go on after the repo is gone. The lease
-- keeps two processes from sending to one URL at once. Secrets are sealed.
CREATE TABLE webhooks (
    id            TEXT   NOT NULL PRIMARY KEY,
    org_id        TEXT   NOT NULL REFERENCES orgs (id),
    user_id       TEXT   NOT NULL REFERENCES users (id),
    repo_id       TEXT,
    url           TEXT   NOT NULL,
    sealed_token  BLOB,
    sealed_secret BLOB   NOT NULL,
    sealed_former BLOB,
    former_until  BIGINT,
    updated_at    BIGINT NOT NULL,
    lease_owner   TEXT,
    lease_until   BIGINT NOT NULL,
    silences      BIGINT NOT NULL,
    rest_until    BIGINT NOT NULL
);
CREATE UNIQUE INDEX webhooks_user ON webhooks (user_id) WHERE repo_id IS NULL;
CREATE UNIQUE INDEX webhooks_repo ON webhooks (repo_id) WHERE repo_id IS NOT NULL;
CREATE INDEX webhooks_org ON webhooks (org_id) WHERE repo_id IS NULL;

-- The outbox, written with the change itself, and the log. One that has no due_at is settled. The
-- ids of events sort by time. `event` is the JSON that is sent.
CREATE TABLE webhook_deliveries (
    webhook_id   TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    event        TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    queued_at    BIGINT NOT NULL,
    due_at       BIGINT,
    attempts     BIGINT NOT NULL,
    attempted_at BIGINT,
    delivered_at BIGINT,
    answer       BIGINT,
    error        TEXT,
    PRIMARY KEY (webhook_id, id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at)
    WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_queued ON webhook_deliveries (queued_at);

-- Every write of an object changes both of these. So few intents are there at a time that those which have run
-- out are found without an index.
DROP INDEX intents_lease;

-- SQLite only: a row lies where its key does, so that a change of it changes one page rather than two.
CREATE TABLE keyed_objects (
    space_id    TEXT   NOT NULL,
    key         TEXT COLLATE BINARY NOT NULL,
    version     TEXT   NOT NULL,
    deleted     BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    etag        TEXT   NOT NULL,
    about       TEXT   NOT NULL,
    modified_at BIGINT NOT NULL,
    parts       TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (space_id, key)
) WITHOUT ROWID;
INSERT INTO keyed_objects
    SELECT space_id, key, version, deleted, size, etag, about, modified_at, parts FROM objects;
DROP TABLE objects;
ALTER TABLE keyed_objects RENAME TO objects;
CREATE TABLE keyed_intents (
    space_id    TEXT   NOT NULL,
    key         TEXT COLLATE BINARY NOT NULL,
    version     TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,
    object      TEXT,
    told        BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (space_id, key)
) WITHOUT ROWID;
INSERT INTO keyed_intents
    SELECT space_id, key, version, node, lease_until, object, told FROM intents;
DROP TABLE intents;
ALTER TABLE keyed_intents RENAME TO intents;

-- The one row that all numbers are given out from. `resumable`: below it, a change may have been seen that was lost.
CREATE TABLE state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    seq         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    horizon     INTEGER NOT NULL,
    horizon_ms  INTEGER NOT NULL,
    resumable   INTEGER NOT NULL,
    boot        TEXT    NOT NULL
);
INSERT INTO state VALUES (1, 0, 0, 0, 0, 0, '');

-- When which number was given out: one row a transaction.
CREATE TABLE commits (
    seq    INTEGER PRIMARY KEY,
    at_ms  INTEGER NOT NULL
);
CREATE INDEX commits_at ON commits (at_ms, seq);

-- What streams are of: short numbers for the versions' sake.
CREATE TABLE kinds (
    id         INTEGER PRIMARY KEY,
    view       INTEGER NOT NULL,
    api_group  TEXT    NOT NULL,
    plural     TEXT    NOT NULL,
    UNIQUE (view, api_group, plural)
);

CREATE TABLE streams (
    kind           INTEGER NOT NULL REFERENCES kinds (id),
    cluster        TEXT    NOT NULL,
    version        TEXT    NOT NULL,
    header         BLOB,
    term_number    INTEGER NOT NULL,
    term_nonce     INTEGER NOT NULL,
    feed           INTEGER NOT NULL,
    feed_seq       INTEGER NOT NULL,
    dictionary     BLOB,
    synced_ms      INTEGER,
    proven_ms      INTEGER,
    PRIMARY KEY (kind, cluster)
);
CREATE INDEX streams_cluster ON streams (cluster);

-- What was said of each object, and for how long it was true: from `seq` until before `until`. What is true now has
-- the largest number there is; a deletion is true never (`until = seq`), and remembered until it is pruned.
CREATE TABLE versions (
    seq         INTEGER PRIMARY KEY,
    until       INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    type        INTEGER NOT NULL, -- 0 added, 1 modified, 2 deleted
    kind        INTEGER NOT NULL,
    cluster     TEXT    NOT NULL,
    namespace   TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    prior       INTEGER NOT NULL, -- the version before, 0 for none
    body        INTEGER NOT NULL, -- whose value; a deletion has that of the version before
    uid         TEXT    NOT NULL,
    created_ms  INTEGER,
    first_ms    INTEGER NOT NULL,
    labels      TEXT,
    owner_kind  TEXT,
    owner_name  TEXT,
    owner_uid   TEXT,
    phase       TEXT,
    ready       INTEGER,
    node        TEXT,
    digest      INTEGER NOT NULL
);
CREATE UNIQUE INDEX versions_now ON versions (kind, cluster, namespace, name) WHERE until = 9223372036854775807;
CREATE INDEX versions_past ON versions (until) WHERE until < 9223372036854775807;
CREATE INDEX versions_deleted ON versions (kind, cluster, namespace, name, seq) WHERE type = 2;

-- The values: apart, so that what looks for objects does not read them. `bytes` is the exact value, shelved (compressed by
-- the program); `json`, as jsonb() makes it, is what the database can look into without parsing it.
CREATE TABLE bodies (
    seq    INTEGER PRIMARY KEY,
    json   BLOB,
    bytes  BLOB NOT NULL
);

-- For people: one row an object as it is now.
CREATE VIEW objects AS
SELECT v.cluster, k.api_group, k.plural, v.namespace, v.name, v.uid, v.created_ms, v.labels, v.owner_kind, v.owner_name,
       v.owner_uid, v.phase, v.ready, v.node, json(b.json) AS object, v.seq, v.first_ms, v.at_ms
FROM versions v JOIN kinds k ON k.id = v.kind JOIN bodies b ON b.seq = v.body
WHERE v.until = 9223372036854775807 AND k.view = 1;

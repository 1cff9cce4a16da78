-- The one row that all numbers are given out from. `resumable`: below it, a change may have been seen that was lost.
CREATE TABLE state (
    id          SMALLINT PRIMARY KEY CHECK (id = 1),
    seq         BIGINT NOT NULL,
    at_ms       BIGINT NOT NULL,
    horizon     BIGINT NOT NULL,
    horizon_ms  BIGINT NOT NULL,
    resumable   BIGINT NOT NULL,
    boot        TEXT    NOT NULL
);
INSERT INTO state VALUES (1, 0, 0, 0, 0, 0, '');

-- When which number was given out: one row a transaction.
CREATE TABLE commits (
    seq    BIGINT PRIMARY KEY,
    at_ms  BIGINT NOT NULL
);
CREATE INDEX commits_at ON commits (at_ms, seq);

-- What streams are of: short numbers for the versions' sake.
CREATE TABLE kinds (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    view       BIGINT NOT NULL,
    api_group  TEXT    NOT NULL,
    plural     TEXT    NOT NULL,
    UNIQUE (view, api_group, plural)
);

CREATE TABLE streams (
    kind           BIGINT NOT NULL REFERENCES kinds (id),
    cluster        TEXT COLLATE "C" NOT NULL,
    version        TEXT    NOT NULL,
    header         BYTEA,
    term_number    BIGINT NOT NULL,
    term_nonce     BIGINT NOT NULL,
    feed           BIGINT NOT NULL,
    feed_seq       BIGINT NOT NULL,
    dictionary     BYTEA,
    synced_ms      BIGINT,
    proven_ms      BIGINT,
    PRIMARY KEY (kind, cluster)
);
CREATE INDEX streams_cluster ON streams (cluster);

-- What was said of each object, and for how long it was true: from `seq` until before `until`. What is true now has
-- the largest number there is; a deletion is true never (`until = seq`), and remembered until it is pruned.
CREATE TABLE versions (
    seq         BIGINT PRIMARY KEY,
    until       BIGINT NOT NULL,
    at_ms       BIGINT NOT NULL,
    type        BIGINT NOT NULL, -- 0 added, 1 modified, 2 deleted
    kind        BIGINT NOT NULL,
    cluster     TEXT COLLATE "C" NOT NULL,
    namespace   TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    prior       BIGINT NOT NULL, -- the version before, 0 for none
    body        BIGINT NOT NULL, -- whose value; a deletion has that of the version before
    uid         TEXT    NOT NULL,
    created_ms  BIGINT,
    first_ms    BIGINT NOT NULL,
    labels      JSONB,
    owner_kind  TEXT,
    owner_name  TEXT,
    owner_uid   TEXT,
    phase       TEXT,
    ready       BIGINT,
    node        TEXT,
    digest      BIGINT NOT NULL
);
CREATE UNIQUE INDEX versions_now ON versions (kind, cluster, namespace, name) WHERE until = 9223372036854775807;
CREATE INDEX versions_past ON versions (until) WHERE until < 9223372036854775807;
CREATE INDEX versions_deleted ON versions (kind, cluster, namespace, name, seq) WHERE type = 2;

-- The values: apart, so that what looks for objects does not read them. `bytes` is the exact value, shelved (compressed by
-- the program); `json` is what the database can look into without parsing it.
CREATE TABLE bodies (
    seq    BIGINT PRIMARY KEY,
    json   JSONB,
    bytes  BYTEA NOT NULL
);
-- Both beside the number, as long as they fit into a page: a scan that looked each up elsewhere would take twice as long.
ALTER TABLE bodies ALTER COLUMN json SET STORAGE MAIN;
ALTER TABLE bodies ALTER COLUMN bytes SET STORAGE MAIN;
-- Packed and unpacked several times as fast; a server that is too old for it, or was built without it, does without.
DO $$ BEGIN
    EXECUTE 'ALTER TABLE bodies ALTER COLUMN json SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN NULL;
END $$;

-- For people: one row an object as it is now.
CREATE VIEW objects AS
SELECT v.cluster, k.api_group, k.plural, v.namespace, v.name, v.uid, v.created_ms, v.labels, v.owner_kind, v.owner_name,
       v.owner_uid, v.phase, v.ready, v.node, b.json AS object, v.seq, v.first_ms, v.at_ms
FROM versions v JOIN kinds k ON k.id = v.kind JOIN bodies b ON b.seq = v.body
WHERE v.until = 9223372036854775807 AND k.view = 1;

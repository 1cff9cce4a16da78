-- Processes that share clusters among them. `view` is the digest of the list of members by which one acts.
CREATE TABLE members (
    share       TEXT COLLATE "C" NOT NULL,
    member      TEXT COLLATE "C" NOT NULL,
    view        BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    PRIMARY KEY (share, member)
);

-- Fencing tokens: whoever takes a cluster over has a larger one than whoever had it before.
CREATE SEQUENCE fences;

-- The largest token that a stream was written with. It outlives the stream: a cluster that was forgotten is not written
-- again by who had it before.
CREATE TABLE writers (
    kind     BIGINT NOT NULL REFERENCES kinds (id),
    cluster  TEXT COLLATE "C" NOT NULL,
    fence    BIGINT NOT NULL,
    PRIMARY KEY (kind, cluster)
);
CREATE INDEX writers_cluster ON writers (cluster);

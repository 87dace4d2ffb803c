-- Times are milliseconds since the Unix epoch, digests are SHA-256 in hexadecimal.

CREATE TABLE forks (
    id            TEXT PRIMARY KEY,
    owner         TEXT NOT NULL,
    base_digest   TEXT NOT NULL,
    base_size     INTEGER NOT NULL,
    base_name     TEXT NOT NULL,
    origin_path   TEXT,
    origin_digest TEXT,
    label         TEXT,
    created       INTEGER NOT NULL,
    last_used     INTEGER NOT NULL,
    ttl           INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    -- The live state; 0 is the base.
    head          INTEGER NOT NULL DEFAULT 0,
    CHECK ((origin_path IS NULL) = (origin_digest IS NULL))
) STRICT;
CREATE INDEX forks_by_use ON forks (last_used DESC, id);
CREATE INDEX forks_by_owner ON forks (owner, last_used DESC, id);
CREATE INDEX forks_by_expiry ON forks (expires);
CREATE INDEX forks_by_base ON forks (base_digest, base_size);

-- The log: a tree whose root is the base. The payload comes last, so that walking the tree does not read it.
CREATE TABLE entries (
    fork    TEXT NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL CHECK (seq > 0),
    parent  INTEGER NOT NULL CHECK (parent >= 0 AND parent < seq),
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    summary TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_seq ON entries (fork, seq);
CREATE INDEX entries_by_parent ON entries (fork, parent, seq);

CREATE TABLE calls (
    fork    TEXT NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    key     TEXT NOT NULL,
    request TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    answer  TEXT NOT NULL,
    PRIMARY KEY (fork, key)
) STRICT;

CREATE TABLE checkpoints (
    fork    TEXT NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (fork, name)
) STRICT;

CREATE TABLE staged (
    fork    TEXT NOT NULL REFERENCES forks (id) ON DELETE CASCADE,
    id      TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    created INTEGER NOT NULL,
    summary TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (fork, id)
) STRICT;

-- Outlives the forks that were saved: a replaced file is kept until newer versions push it out.
CREATE TABLE versions (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    path     TEXT NOT NULL,
    digest   TEXT NOT NULL,
    size     INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    fork     TEXT NOT NULL,
    seq      INTEGER NOT NULL
) STRICT;
CREATE INDEX versions_by_path ON versions (path, number DESC);

-- Times are Unix microseconds, UTC; NULL is never. A sync's number is its short name in the other tables; it is never
-- used again.

CREATE TABLE syncs (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation    TEXT NOT NULL,
    connection      TEXT NOT NULL,
    entity          TEXT NOT NULL,
    epoch           BLOB NOT NULL, -- random: what makes message ids of this sync its own
    every           INTEGER NOT NULL,
    since           INTEGER,
    enabled         INTEGER NOT NULL,
    capabilities    TEXT,
    asked           TEXT NOT NULL DEFAULT '',
    asked_accepts   INTEGER NOT NULL DEFAULT 0,
    mark            INTEGER,
    mark_reached_at INTEGER,
    mark_settled    INTEGER NOT NULL DEFAULT 0,
    last_success_at INTEGER,
    last_full_at    INTEGER,
    next_run_at     INTEGER,
    failures        INTEGER NOT NULL DEFAULT 0,
    problem         TEXT,
    problem_at      INTEGER,
    last            TEXT, -- the last run that ended well, JSON
    run             TEXT, -- the run under way, JSON
    live            INTEGER NOT NULL DEFAULT 0,
    gone            INTEGER NOT NULL DEFAULT 0,
    UNIQUE (connection, entity)
) STRICT;
CREATE INDEX syncs_due ON syncs (next_run_at) WHERE next_run_at IS NOT NULL;

CREATE TABLE records (
    number     INTEGER PRIMARY KEY,
    sync       INTEGER NOT NULL,
    id         TEXT NOT NULL,
    hash       BLOB NOT NULL,
    version    INTEGER NOT NULL, -- how often it changed
    modified   INTEGER NOT NULL,
    created_at INTEGER,
    deleted_at INTEGER,
    status     TEXT,
    document   TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_id ON records (sync, id);
CREATE INDEX records_by_change ON records (sync, modified, id);
CREATE INDEX records_by_status ON records (sync, status, id) WHERE status IS NOT NULL;

-- What the full run under way has seen, where it compares.
CREATE TABLE seen (
    sync   INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (sync, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    number  INTEGER PRIMARY KEY,
    sync    INTEGER NOT NULL,
    message TEXT NOT NULL,
    kind    TEXT NOT NULL,
    record  TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

-- Syncs that were erased, and whose rows in the other tables still have to go.
CREATE TABLE erased (
    sync INTEGER PRIMARY KEY
) STRICT;

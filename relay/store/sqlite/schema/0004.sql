-- What happened. A log is a connection's or an agent's; its events lie together, in the order of their ids, and are
-- counted, so that the oldest ones of a full log are found without counting.

CREATE TABLE events (
    log          TEXT NOT NULL,
    id           TEXT NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    organisation TEXT NOT NULL REFERENCES organisations,
    site         TEXT NOT NULL,
    agent        TEXT NOT NULL,
    connection   TEXT NOT NULL,
    at           INTEGER NOT NULL,
    level        INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),
    kind         TEXT NOT NULL,
    entity       TEXT NOT NULL,
    operation    TEXT NOT NULL,
    code         TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    message      TEXT NOT NULL,
    data         TEXT,
    PRIMARY KEY (log, id)
) STRICT, WITHOUT ROWID;

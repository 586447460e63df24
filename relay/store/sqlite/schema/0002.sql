-- Who did what. An organisation's entries are numbered without a gap; nothing changes or removes one.

CREATE TABLE audit (
    organisation TEXT NOT NULL REFERENCES organisations,
    number       INTEGER NOT NULL CHECK (number > 0),
    at           INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    actor_name   TEXT NOT NULL,
    actor_role   TEXT NOT NULL,
    action       TEXT NOT NULL,
    target       TEXT NOT NULL,
    site         TEXT NOT NULL,
    agent        TEXT NOT NULL,
    connection   TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    result       TEXT NOT NULL,
    PRIMARY KEY (organisation, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

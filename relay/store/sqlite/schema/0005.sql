-- How each connection was, as of the last time that it was written down.

CREATE TABLE conditions (
    connection TEXT PRIMARY KEY REFERENCES connections ON DELETE CASCADE,
    state      TEXT NOT NULL,
    since      INTEGER,
    reauth     INTEGER NOT NULL CHECK (reauth IN (0, 1)),
    matrix     TEXT
) STRICT, WITHOUT ROWID;

-- Times are Unix milliseconds, UTC; NULL is never. Hashes are SHA-256. Ids sort by age.

CREATE TABLE organisations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    credits    INTEGER NOT NULL CHECK (credits >= 0),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id           TEXT PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('admin', 'support', 'read')),
    hash         BLOB NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX keys_of_organisation ON keys (organisation, id);

CREATE TABLE sites (
    id           TEXT PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations,
    name         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    deleted_at   INTEGER
) STRICT;
CREATE INDEX sites_of_organisation ON sites (organisation, id) WHERE deleted_at IS NULL;

CREATE TABLE enrolments (
    id         TEXT PRIMARY KEY,
    site       TEXT NOT NULL REFERENCES sites,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_by    TEXT REFERENCES agents
) STRICT;

CREATE TABLE agents (
    id                     TEXT PRIMARY KEY,
    site                   TEXT NOT NULL REFERENCES sites,
    machine                TEXT NOT NULL,
    key                    BLOB NOT NULL,
    facts                  TEXT,
    certificate_expires_at INTEGER NOT NULL,
    enrolled_at            INTEGER NOT NULL,
    last_seen_at           INTEGER,
    revoked_at             INTEGER,
    catalogue              TEXT,
    catalogue_at           INTEGER
) STRICT;
CREATE INDEX agents_of_site ON agents (site, id) WHERE revoked_at IS NULL;

CREATE TABLE connections (
    id              TEXT PRIMARY KEY,
    organisation    TEXT NOT NULL REFERENCES organisations,
    site            TEXT NOT NULL REFERENCES sites,
    agent           TEXT NOT NULL REFERENCES agents,
    system          TEXT NOT NULL,
    name            TEXT NOT NULL,
    tier            INTEGER NOT NULL CHECK (tier >= 0),
    settings        TEXT,
    metadata        TEXT,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'active', 'disconnected')),
    created_at      INTEGER NOT NULL,
    activated_at    INTEGER,
    disconnected_at INTEGER
) STRICT;
CREATE INDEX connections_of_organisation ON connections (organisation, id);
CREATE INDEX connections_of_agent ON connections (agent, id) WHERE state <> 'disconnected';
CREATE INDEX connections_of_site ON connections (site, id);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX token_of_connection ON tokens (connection) WHERE revoked_at IS NULL;

-- The relay's own secrets. A plant's never are in this file.
CREATE TABLE secrets (
    name        TEXT PRIMARY KEY,
    value       BLOB NOT NULL,
    certificate BLOB,
    created_at  INTEGER NOT NULL
) STRICT;

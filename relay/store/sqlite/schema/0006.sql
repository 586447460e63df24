-- Whom to tell what happens. A webhook's secrets are the relay's own: it has to sign with them.

CREATE TABLE webhooks (
    id              TEXT PRIMARY KEY,
    organisation    TEXT NOT NULL REFERENCES organisations,
    url             TEXT NOT NULL,
    description     TEXT NOT NULL,
    events          TEXT NOT NULL,
    site            TEXT NOT NULL,
    connection      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
    reason          TEXT NOT NULL DEFAULT '',
    secret          TEXT NOT NULL,
    former_secret   TEXT NOT NULL DEFAULT '',
    former_until    INTEGER,
    created_at      INTEGER NOT NULL,
    deleted_at      INTEGER,
    failures        INTEGER NOT NULL DEFAULT 0,
    rests           INTEGER NOT NULL DEFAULT 0,
    rests_until     INTEGER,
    failing_since   INTEGER,
    last_success_at INTEGER,
    last_error      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX webhooks_of_organisation ON webhooks (organisation, id) WHERE deleted_at IS NULL;

-- The messages to each webhook, numbered in their order. Of the pending ones about a subject, one has a time for its next
-- attempt: the first. The others have none, and wait for their turn.
CREATE TABLE deliveries (
    number     INTEGER PRIMARY KEY,
    webhook    TEXT NOT NULL REFERENCES webhooks,
    id         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER CHECK (next_at IS NULL OR state = 'pending'),
    last_at    INTEGER,
    status     INTEGER NOT NULL DEFAULT 0,
    error      TEXT NOT NULL DEFAULT '',
    body       TEXT NOT NULL,
    UNIQUE (webhook, id)
) STRICT;
CREATE INDEX deliveries_of_webhook ON deliveries (webhook, number);
CREATE INDEX deliveries_due ON deliveries (webhook, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (webhook, subject, number) WHERE state = 'pending';
CREATE INDEX deliveries_ended ON deliveries (webhook, state, number) WHERE state <> 'pending';

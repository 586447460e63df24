-- A connection that is active and paused keeps everything and makes no call.
ALTER TABLE connections ADD COLUMN paused_at INTEGER;

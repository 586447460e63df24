-- What all runs of a sync have done together: as many changes as were ever told.
ALTER TABLE syncs ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
ALTER TABLE syncs ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE syncs ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;

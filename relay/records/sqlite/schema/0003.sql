-- An event of a sync (store.NewEvent, JSON) that is told in its place among the changes of records; of those it is NULL.
ALTER TABLE outbox ADD COLUMN event TEXT;

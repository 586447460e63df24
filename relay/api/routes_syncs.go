package api

import (
	"gantry/relay/auth"
	"gantry/relay/openapi"
	"gantry/tunnel/fault"
)

// stored adds an operation that reads what the relay itself keeps of a connection.
func (r *routes) stored(pattern, id string, serve dataAnswer, d openapi.Description) {
	r.add(pattern, id, openapi.Caller{Kind: openapi.Connection, Roles: rolesWith(auth.ReadData)}, r.api.kept(id, serve), d)
}

func (r *routes) ofSyncs() {
	const tag = "Syncs"
	r.stored("GET /sync-status", "syncs.status", r.api.syncStatus, openapi.Description{
		Tag: tag, Summary: "Show how the syncs do",
		Text:    "Every sync of the connection: its state, its counts, its error with code and request id, the next run, and how old what is stored may be.",
		Answers: []openapi.Answer{openapi.Gives[list[syncDocument]](200, "The syncs, by entity.")},
	})
	r.data("PUT /syncs/{entity}", "syncs.put", r.api.putSync, openapi.Description{
		Tag: tag, Summary: "Sync an entity",
		Text: "Sets the schedule of one entity, and begins at once. The first run reads everything since `since`; the next ones what changed, where the system tells it, and once a day everything within `since`, to find what is gone. Another `since` has that done at once; what lies outside of it stays as it is.\n\n" +
			"With `enabled: false` it does not run by itself; what was synced stays.",
		Body:    openapi.Takes[scheduleWish]("The schedule."),
		Answers: []openapi.Answer{openapi.Gives[syncDocument](200, "The sync.")},
		Codes:   []fault.Code{fault.NotFound, fault.OperationNotSupported},
	})
	r.data("POST /syncs/{entity}", "syncs.run", r.api.runSync, openapi.Description{
		Tag: tag, Summary: "Run a sync now",
		Text: "Runs soon, or once more after the run that is under way; the answer does not wait for it. A full run looks for what is gone.\n\n" +
			"A full run that finds nothing, or not half of what is stored, marks nothing as deleted, since a right that was taken away looks the same; `accept_deletions` says that it is so.",
		Body:    openapi.MayTake[runWish]("What kind of run."),
		Answers: []openapi.Answer{openapi.Gives[syncDocument](202, "The sync.")},
		Codes:   []fault.Code{fault.NotFound, fault.OperationNotSupported},
	})
	r.stored("GET /records/{entity}", "records.list", r.api.listRecords, openapi.Description{
		Tag: tag, Summary: "List synced records",
		Text: "What was synced, as the live lists have it, with their filters, cursor and stream; the plant is not asked. The order is that of the ids, or with `modified_after` that of the changes.\n\n" +
			"Records that are gone at the source stay, with `deleted_at`, and are listed with `deleted=include` or `deleted=only`. A deletion is a change: `modified_after` finds it.\n\n" +
			"An organisation key reads them also after the connection was disconnected.",
		Query:   openapi.NarrowingStored(),
		Answers: []openapi.Answer{openapi.OrLines[openapi.Line](openapi.Gives[openapi.RecordPage](200, "The records."), openapi.NDJSON)},
		Codes:   []fault.Code{fault.NotFound, fault.SystemTimeout, fault.Overloaded},
	})
	r.stored("GET /records/{entity}/{id}", "records.get", r.api.getRecord, openapi.Description{
		Tag: tag, Summary: "Get a synced record",
		Text:    "One record as it was when it was last seen to change, with `deleted_at` where it is gone at the source.",
		Query:   []openapi.Parameter{openapi.Fields},
		Answers: []openapi.Answer{openapi.Gives[openapi.Record](200, "The record.")},
		Codes:   []fault.Code{fault.NotFound},
	})
	r.audited("DELETE /connections/{id}/records", "connections.erase_records", auth.Manage, r.api.eraseRecords, openapi.Description{
		Tag: tag, Summary: "Erase the synced records",
		Text:    "Removes everything that was synced of a connection, and its syncs with it. Final: the records are overwritten on the relay's disk.",
		Answers: []openapi.Answer{openapi.Empty(204, "They are gone.")},
	})
}

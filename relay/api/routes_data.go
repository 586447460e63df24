package api

import (
	"gantry/connectors/wire"
	"gantry/relay/openapi"
	"gantry/relay/status"
	"gantry/tunnel/fault"
)

func (r *routes) ofConnection() {
	const tag = "This connection"
	r.data("GET /connection", "connection.get", r.api.showConnection, openapi.Description{
		Tag: tag, Summary: "Show this connection",
		Text:    "The connection that the token belongs to.",
		Answers: []openapi.Answer{openapi.Gives[connectionDocument](200, "The connection.")},
	})
	r.data("GET /connection/status", "connection.status", r.api.showStatus, openapi.Description{
		Tag: tag, Summary: "Show how this connection is", Text: aboutStatus,
		Answers: []openapi.Answer{openapi.Gives[status.ConnectionStatus](200, "The status.")},
	})
	r.data("GET /connection/events", "connection.events", r.api.showEvents, openapi.Description{
		Tag: tag, Summary: "Read or follow this connection's events", Text: aboutEvents(),
		Query: eventParameters(), Headers: []openapi.Parameter{lastEventID}, Answers: eventAnswers(),
	})
	r.data("GET /connection/capabilities", "connection.capabilities", r.api.capabilities, openapi.Description{
		Tag: tag, Summary: "Show what this connection may do",
		Text:    "Entity by entity, operation by operation, field by field. Every no says who said it: the system's definition (`definition`), the plant's own policy (`policy`), or the system, which was seen to refuse the login (`probe`).",
		Answers: []openapi.Answer{openapi.Gives[wire.Capabilities](200, "The capabilities.")},
		Reach:   openapi.AtAgent,
	})
}

func (r *routes) ofPassthrough() {
	r.data("POST /passthrough", "connection.passthrough", r.api.passthrough, openapi.Description{
		Tag: "This connection", Summary: "Send the system's own request", Text: aboutPassthrough,
		Headers: []openapi.Parameter{openapi.IdempotencyKey},
		Body:    openapi.Takes[wire.Passthrough]("The request, in the form that the system's `passthrough` names: `method` and `path` of one over `http`, or a `call`."),
		Answers: []openapi.Answer{openapi.Gives[wire.PassedThrough](200, "What the system answered, also where it refused.").With(openapi.Replayed)},
		Codes:   []fault.Code{fault.Conflict, fault.IdempotencyKeyReused},
		Reach:   openapi.Reads,
	})
}

const aboutPassthrough = "For what no entity has. Off unless the plant's policy lets exactly this request through: a refusal holds the command that would, and the connection's capabilities list the patterns that do. A request that may change something needs the plant's leave to write as well; which methods of a `call` change nothing, the plant says.\n\n" +
	"Gantry adds the connection's address and login, and nothing that is sent can take their place. No redirect is followed. A path that can be read in more than one way is refused. The login is taken out of the answer; what the plant's policy hides elsewhere is not: fields and rows are the pattern's matter here. An answer of more than 4 MiB is not passed.\n\n" +
	"A system's refusal is an answer, with its own status. What fails on the way is a problem as usual; of a `call`, its outcome is told as of a write. With an `Idempotency-Key` a request that may change something is sent once, and whatever the system answered is answered again."

// ofEntities lists the operations on entities. Each is served at the entity's own path and below /entities, where custom
// ones are, too. Braces hold the words of an entity, which the document fills in.
func (r *routes) ofEntities() {
	for _, base := range []string{"", "/entities"} {
		r.data("GET "+base+"/{entity}", opList, r.api.entity(opList), openapi.Description{
			Entity: true, Summary: "List {records}", Reach: openapi.Reads,
			Text: "A page of {records}, or with `Accept: application/x-ndjson` all of them as one stream, a record a line. The stream's last line is `{\"end\":{\"count\":N}}` or `{\"error\":{…}}`, so that a cut stream differs from a whole one.\n\n" +
				"Parameters that are not known are refused.",
			Query:   openapi.Narrowing(),
			Answers: []openapi.Answer{openapi.OrLines[openapi.Line](openapi.Gives[openapi.RecordPage](200, "The {records}."), openapi.NDJSON)},
		})
		r.data("POST "+base+"/{entity}", opCreate, r.api.entity(opCreate), openapi.Description{
			Entity: true, Summary: "Create a {record}", Reach: openapi.Writes,
			Text:    "Which fields may and must be sent, the connection's capabilities say.",
			Query:   []openapi.Parameter{openapi.DryRun},
			Headers: []openapi.Parameter{openapi.IdempotencyKey},
			Body:    openapi.Takes[openapi.RecordWish]("The {record}."),
			Answers: []openapi.Answer{
				openapi.Gives[openapi.Record](201, "The {record} as the system has it now.").With(openapi.Location, openapi.ETag, openapi.Replayed),
				openapi.Gives[openapi.Plan](200, "Of a dry run: what would be sent."),
			},
		})
		r.data("GET "+base+"/{entity}/{id}", opGet, r.api.entity(opGet), openapi.Description{
			Entity: true, Summary: "Get a {record}", Reach: openapi.Reads,
			Text:    "One {record} by its id.",
			Query:   []openapi.Parameter{openapi.Fields, openapi.Include},
			Answers: []openapi.Answer{openapi.Gives[openapi.Record](200, "The {record}.").With(openapi.ETag)},
		})
		r.data("PATCH "+base+"/{entity}/{id}", opUpdate, r.api.entity(opUpdate), openapi.Description{
			Entity: true, Summary: "Update a {record}", Reach: openapi.Writes,
			Text:    "A JSON merge patch (RFC 7396): what is not sent stays as it is, null empties, a list is replaced whole.",
			Query:   []openapi.Parameter{openapi.DryRun},
			Headers: []openapi.Parameter{openapi.IfMatch, openapi.IdempotencyKey},
			Body:    openapi.Takes[openapi.RecordWish]("What changes.").In(openapi.JSON, openapi.MergePatch),
			Answers: []openapi.Answer{openapi.Gives[openapi.Written](200, "The {record} as the system has it now; of a dry run, what would be sent.").With(openapi.ETag, openapi.Replayed)},
		})
		r.data("DELETE "+base+"/{entity}/{id}", opDelete, r.api.entity(opDelete), openapi.Description{
			Entity: true, Summary: "Delete a {record}", Reach: openapi.Writes,
			Text:    "Deletes the {record}, or does what the system does instead: `X-Delete-Mode` says which.",
			Query:   []openapi.Parameter{openapi.DryRun},
			Headers: []openapi.Parameter{openapi.IfMatch, openapi.IdempotencyKey},
			Answers: []openapi.Answer{
				openapi.Gives[openapi.Written](200, "The {record} as it is now, where the system keeps it; of a dry run, what would be sent.").With(openapi.ETag, openapi.Replayed, openapi.DeleteMode),
				openapi.Empty(204, "The {record} is gone.").With(openapi.Replayed, openapi.DeleteMode),
			},
		})
		r.data("POST "+base+"/{entity}/{id}/actions/{action}", opAction, r.api.entity(opAction), openapi.Description{
			Entity: true, Summary: "Act on a {record}", Reach: openapi.Writes,
			Text:    "An action is what the system can do with a record beside changing its fields: approve, close, cancel. `_actions` of the record lists those that are possible now, the capabilities all, with what each takes.",
			Query:   []openapi.Parameter{openapi.DryRun},
			Headers: []openapi.Parameter{openapi.IfMatch, openapi.IdempotencyKey},
			Body:    openapi.MayTake[openapi.ActionWish]("What the action takes."),
			Answers: []openapi.Answer{openapi.Gives[openapi.Written](200, "The {record} as the system has it now; of a dry run, what would be sent.").With(openapi.ETag, openapi.Replayed)},
		})
	}
}

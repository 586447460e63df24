package api

import (
	"reflect"
	"strings"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/openapi"
	"gantry/relay/status"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

func (r *routes) ofConnections() {
	const tag = "Connections"
	r.audited("POST /connections", "connections.create", auth.Manage, r.api.createConnection, openapi.Description{
		Tag: tag, Summary: "Connect a system",
		Text: "Logs in through the site's agent first. A login that fails is a problem that names the hop, and nothing is kept of it: no connection, no credit, no secret.\n\n" +
			"Credentials go through to the agent, which keeps them; the relay keeps and logs none. They can be sealed to the agent's key (`sealing_key` of the site's agent), so that the relay cannot read them at all.\n\n" +
			"The connection's token is shown this once.\n\n" + aboutSteps,
		Body:    openapi.Takes[connectionWish]("The system, the site, and the members of the system's login form."),
		Answers: connected(),
		Codes:   []fault.Code{fault.NoCredits, fault.NotFound, fault.Conflict, fault.ValidationFailed, fault.FieldRequired},
		Reach:   openapi.Reads,
	})
	r.own("GET /connections", "connections.list", auth.View, r.api.listConnections, openapi.Description{
		Tag: tag, Summary: "List the connections",
		Text:    "Each with its state as of now.",
		Query:   connectionParameters(),
		Answers: []openapi.Answer{openapi.Gives[connectionPage](200, "A page of connections.")},
	})
	r.own("GET /connections/{id}", "connections.get", auth.View, r.api.getConnection, openapi.Description{
		Tag: tag, Summary: "Show a connection",
		Text:    "A connection with its settings and its state, and never a secret.",
		Answers: []openapi.Answer{openapi.Gives[connectionDocument](200, "The connection.")},
	})
	r.own("GET /connections/{id}/status", "connections.status", auth.View, r.api.getStatus, openapi.Description{
		Tag: tag, Summary: "Show how a connection is", Text: aboutStatus,
		Answers: []openapi.Answer{openapi.Gives[status.ConnectionStatus](200, "The status.")},
	})
	r.own("GET /connections/{id}/events", "connections.events", auth.View, r.api.listEvents, openapi.Description{
		Tag: tag, Summary: "Read or follow a connection's events", Text: aboutEvents(),
		Query: eventParameters(), Headers: []openapi.Parameter{lastEventID}, Answers: eventAnswers(),
	})
	r.audited("POST /connections/{id}/circuits/reset", "connections.reset_circuits", auth.Manage, r.api.resetCircuits, openapi.Description{
		Tag: tag, Summary: "Let calls pass again",
		Text:    "Closes the connection's circuit breakers, and forgets that its system asked for fewer calls or refused the login: the next call is made. It is for after a repair; breakers close by themselves, too.",
		Answers: []openapi.Answer{openapi.Empty(204, "The next call is made.")},
		Reach:   openapi.AtAgent,
	})
}

// aboutSteps describes a login that is told as it goes.
const aboutSteps = "With `Accept: application/x-ndjson` the login can be watched: each hop comes as it is passed or fails, `{\"step\":{…}}` with the members of a diagnosis' hop, and last `{\"end\":{…}}` with what comes without a stream, or `{\"error\":{…}}` with the problem. What is refused before the first hop is a problem as usual."

// connected are the answers with a connection that was just made.
func connected() []openapi.Answer {
	return []openapi.Answer{
		openapi.Gives[connectionToken](201, "The connection, and its token.").With(openapi.Location),
		openapi.Lines[progress[hopDocument, connectionToken]](200, "The hops of the login, and last the connection with its token."),
	}
}

func (r *routes) ofOverlays() {
	const tag = "Connections"
	r.own("GET /connections/{id}/discovered", "connections.discovered", auth.Diagnose, r.api.discovered, openapi.Description{
		Tag: tag, Summary: "Find what the system has beyond its definition",
		Text: "Asks the system, as it is now, for the columns of its records from which no field of the definition comes: fields that a plant added to its own system. Each with what it holds, the types that a custom field over it can have, the system's own label, and how many of the first records have a value. No value is told.\n\n" +
			"An entity whose definition has no place for custom fields says so, and so does one that the plant's policy or the login's rights refuse. It makes only calls that the connection may make anyway, within the same limits.",
		Query:   []openapi.Parameter{openapi.TextParameter("entity", "Only this entity, which is quicker.")},
		Answers: []openapi.Answer{openapi.Gives[wire.Discovered](200, "What was found, entity by entity.")},
		Codes:   []fault.Code{fault.NotFound},
		Reach:   openapi.Reads,
	})
	r.own("GET /connections/{id}/overlay", "connections.get_overlay", auth.View, r.api.getOverlay, openapi.Description{
		Tag: tag, Summary: "Show the connection's overlay",
		Text:    "What was mapped, as the agent keeps it, and whether it is in force: the plant's policy may have changed since, or the definition.",
		Answers: []openapi.Answer{openapi.Gives[wire.OverlayState](200, "The overlay; without entities where there is none.")},
		Reach:   openapi.AtAgent,
	})
	r.audited("PUT /connections/{id}/overlay", "connections.put_overlay", auth.Manage, r.api.putOverlay, openapi.Description{
		Tag: tag, Summary: "Map discovered columns onto custom fields",
		Text: "Replaces the overlay. Its fields stand under `custom_fields` of the records from the next call on: typed, selected by `fields`, filtered where they say `filterable`, written where they say `write`, listed in the capabilities, and synced with the next run (`POST /syncs/{entity}` `{\"full\": true}` for all records at once).\n\n" +
			"The agent keeps the overlay, and takes it only if the plant's policy allows overlays, and each column is found in the system now. An overlay maps columns and nothing else: there is no statement in it, no path and no host. Calls under way end with `CONFLICT`; writes that have begun do not. It ends with the connection, and does not go along to another agent.",
		Body:    openapi.Takes[wire.Overlay]("The mapping, entity by entity."),
		Answers: []openapi.Answer{openapi.Gives[wire.OverlayState](200, "The overlay, in force.")},
		Codes:   []fault.Code{fault.PayloadTooLarge},
		Reach:   openapi.Reads,
	})
	r.audited("DELETE /connections/{id}/overlay", "connections.delete_overlay", auth.Manage, r.api.deleteOverlay, openapi.Description{
		Tag: tag, Summary: "Take the connection's overlay away",
		Text:    "From the next call on its fields are gone. That there is none is no fault.",
		Answers: []openapi.Answer{openapi.Empty(204, "There is no overlay.")},
		Reach:   openapi.AtAgent,
	})
}

// aboutStatus describes the status document.
const aboutStatus = "What holds now, proved: one state, a sentence that can be read out (`message`), how far it reaches (`affects`), and what it rests on.\n\n" +
	"The agent's part is proved by a call to the agent's own loop, never older than 30 seconds. The system's and the entities' parts come from calls and from one cheap check a minute (none in the plant's quiet hours), and say when (`checked_at`). " +
	"A state hides those behind it: disconnected, paused, agent_offline, system_offline, reauth_required, throttled, degraded, active."

// aboutEvents describes the log.
func aboutEvents() string {
	return "The connection's own log, oldest first: calls that failed, states that changed, breakers that moved, syncs, what was done to the connection, and its agent's coming and going. The newest 10,000 are kept. Failures that are alike within a minute are one event with a count.\n\n" +
		"To read on, ask again with `after` set to the last id that you have seen: nothing that is kept is missed. With `Accept: text/event-stream` they come as server-sent events as they happen: `id`, `event` (the kind) and `data` (the event); a comment every 15 seconds; where a revoked token ends the stream, a last `event: end` with the problem. " +
		"A client that comes back with `Last-Event-ID` goes on where it was.\n\n" +
		"The kinds, to which more may be added: `" + strings.Join(texts(store.EventKinds()), "`, `") + "`."
}

func eventParameters() []openapi.Parameter {
	return openapi.Paging(
		openapi.TextParameter("after", "The id of an event: only those behind it. Not together with `cursor` or `last`."),
		openapi.Number("last", "Only the newest so many. Not together with `after`, `cursor` or `limit`.", 1, largestPage, 0),
		openapi.TextParameter("before", "The id of an event, together with `last`: the newest so many of those before it. It leads back, a page at a time."),
		openapi.OneOf("level", "Only those of this level, and of those that matter more.", texts(store.Levels())...),
		openapi.TextParameter("entity", "Only those on this entity."),
		openapi.TextParameter("kind", "Only those of this kind, or of all kinds of this first word: `sync.failed`, `sync`."),
		openapi.TextParameter("request_id", "Only those of the call with this request id."))
}

// lastEventID is what a client of server-sent events sends by itself when it comes back.
var lastEventID = openapi.Parameter{Name: "Last-Event-ID", Text: "Of a stream: the id of the last event that was seen.", Type: reflect.TypeFor[string]()}

func eventAnswers() []openapi.Answer {
	return []openapi.Answer{openapi.OrLines[eventDocument](openapi.Gives[list[eventDocument]](200, "A page of events."), openapi.SSE)}
}

func (r *routes) ofConnectionLife() {
	const tag = "Connections"
	r.audited("POST /connections/{id}/token", "connections.token", auth.Manage, r.api.replaceToken, openapi.Description{
		Tag: tag, Summary: "Replace the connection's token",
		Text:    "The old token is dead at once, and streams that run with it end within a second. The new one is shown this once.",
		Answers: []openapi.Answer{openapi.Gives[connectionToken](200, "The connection, and its new token.")},
		Codes:   []fault.Code{fault.Conflict},
	})
	r.audited("PUT /connections/{id}/credentials", "connections.relink", auth.Manage, r.api.relink, openapi.Description{
		Tag: tag, Summary: "Give the connection another login",
		Text: "The same id, the same token, a new login. The agent logs in first: a login that fails changes nothing. Settings that are left out stay as they are; sealed credentials are sealed with the settings that the connection has afterwards.\n\n" +
			"Streams under the former login end with `CONFLICT`; writes that have begun do not. A connection whose agent was revoked goes to another agent of its site, which knows nothing of idempotency keys that were used before.\n\n" + aboutSteps,
		Body:    openapi.Takes[newLogin]("The login."),
		Answers: []openapi.Answer{openapi.OrLines[progress[hopDocument, connectionDocument]](openapi.Gives[connectionDocument](200, "The connection."), openapi.NDJSON)},
		Codes:   []fault.Code{fault.Conflict, fault.ValidationFailed, fault.FieldRequired},
		Reach:   openapi.Reads,
	})
	r.audited("POST /connections/{id}/pause", "connections.pause", auth.Manage, r.api.pause, openapi.Description{
		Tag: tag, Summary: "Pause the connection",
		Text:    "It keeps everything, and its system is not asked any more, not even by probes: calls are answered `CONNECTION_PAUSED`, and streams end with it. A write that has begun ends as it would have. Its credits stay in use.",
		Answers: []openapi.Answer{openapi.Gives[connectionDocument](200, "The connection, `paused`.")},
		Codes:   []fault.Code{fault.Conflict},
	})
	r.audited("POST /connections/{id}/resume", "connections.resume", auth.Manage, r.api.resume, openapi.Description{
		Tag: tag, Summary: "Resume a paused connection",
		Text:    "The next call is made. Resuming a connection that is not paused changes nothing.",
		Answers: []openapi.Answer{openapi.Gives[connectionDocument](200, "The connection.")},
		Codes:   []fault.Code{fault.Conflict},
	})
	r.audited("POST /connections/{id}/reconnect", "connections.reconnect", auth.Manage, r.api.reconnect, openapi.Description{
		Tag: tag, Summary: "Make a new connection like one that was disconnected",
		Text:    "The same system, site, name and metadata, and the same settings unless others are given; with an id and a token of its own. The agent logs in first, and the credits are taken again. The old connection stays as it is.\n\n" + aboutSteps,
		Body:    openapi.Takes[newLogin]("The login."),
		Answers: connected(),
		Codes:   []fault.Code{fault.NoCredits, fault.Conflict, fault.ValidationFailed, fault.FieldRequired},
		Reach:   openapi.Reads,
	})
	r.audited("POST /connections/{id}/disconnect", "connections.disconnect", auth.Manage, r.api.disconnect, openapi.Description{
		Tag: tag, Summary: "End a connection for good",
		Text:    "Final. The token is dead at once and streams are cut within a second; the secrets are erased at the site, now or when its agent comes back; the credits return to the pool.",
		Answers: []openapi.Answer{openapi.Gives[connectionDocument](200, "The connection, `disconnected`.")},
		Codes:   []fault.Code{fault.Conflict},
	})
	r.audited("POST /connections/{id}/diagnose", "connections.diagnose", auth.Diagnose, r.api.diagnoseConnection, openapi.Description{
		Tag: tag, Summary: "Find the broken hop",
		Text: "Looks along the way of the connection's calls, hop by hop: client, relay, tunnel, agent, policy, dns, tcp, tls, login, and one read of each entity. It answers within 15 seconds, also when the agent is offline, and makes only calls that the connection may make anyway.\n\n" +
			"With `Accept: application/x-ndjson` each hop comes as it finishes, `{\"step\":{…}}`, and last `{\"end\":{…}}` with the whole or `{\"error\":{…}}`. A hop that comes again replaces the one before.",
		Answers: []openapi.Answer{openapi.OrLines[progress[hopDocument, diagnosisDocument]](openapi.Gives[diagnosisDocument](200, "The hops."), openapi.NDJSON)},
		Reach:   openapi.AtAgent,
	})
}

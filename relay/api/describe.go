package api

import (
	"reflect"

	"gantry/connectors/wire"
	"gantry/relay/openapi"
	"gantry/relay/records"
	"gantry/relay/status"
	"gantry/relay/store"
	"gantry/tunnel/check"
)

// Operations lists what the API serves, with what each operation promises.
func Operations() []openapi.Operation {
	all := routesOf(&API{})
	described := make([]openapi.Operation, len(all))
	for i, r := range all {
		described[i] = r.Operation
	}
	return described
}

// groups of operations, in the order of the documentation; behind them come the entities.
func groups() []openapi.Group {
	return []openapi.Group{
		{Tag: "Systems", Text: "What can be connected."},
		{Tag: "Sites and agents", Text: "Plant networks, and the agents that are installed there."},
		{Tag: "Connections", Text: "Logins to systems, and their life."},
		{Tag: "Webhooks", Text: "Where an organisation is told of what happens."},
		{Tag: "Organisation", Text: "Credits, keys, and who did what."},
		{Tag: "Documentation", Text: "The API about itself."},
		{Tag: "This connection", Text: "What a connection's own token can ask about it."},
		{Tag: "Syncs", Text: "Copies of a plant's records that the relay keeps like the plant's own, to be read when the plant is out of reach or must not be asked."},
	}
}

// words are the types of documents that are one of a list of words.
func words() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[store.Role]():          texts(store.Roles()),
		reflect.TypeFor[check.Status]():        texts([]check.Status{check.Passed, check.Warned, check.Failed, check.Skipped}),
		reflect.TypeFor[store.Level]():         texts(store.Levels()),
		reflect.TypeFor[status.State]():        texts(status.States()),
		reflect.TypeFor[status.Affects]():      texts([]status.Affects{status.Nothing, status.SomeEntities, status.Everything}),
		reflect.TypeFor[wire.SystemState]():    texts([]wire.SystemState{wire.SystemUnknown, wire.SystemReachable, wire.SystemUnreachable}),
		reflect.TypeFor[wire.CircuitState]():   texts([]wire.CircuitState{wire.CircuitClosed, wire.CircuitOpen, wire.CircuitHalfOpen}),
		reflect.TypeFor[wire.OperationState](): texts([]wire.OperationState{wire.OperationUnknown, wire.OperationWorking, wire.OperationFailing, wire.OperationDenied}),
		reflect.TypeFor[check.Team]():          texts([]check.Team{check.PlantIT, check.Proxy, check.Firewall, check.DBA, check.Cloud}),
		reflect.TypeFor[syncState]():           texts(syncStates()),
		reflect.TypeFor[records.Kind]():        texts([]records.Kind{records.Full, records.Incremental}),
		reflect.TypeFor[store.WebhookState]():  {string(store.WebhookActive), string(store.WebhookPaused), string(store.WebhookDisabled)},
	}
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

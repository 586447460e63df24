package status

import (
	"encoding/json"
	"fmt"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/store"
)

// of begins an event of a connection.
func of(row store.Connection, level store.Level, kind store.EventKind) store.NewEvent {
	return store.NewEvent{
		OrganisationID: row.OrganisationID, SiteID: row.SiteID, AgentID: row.AgentID, ConnectionID: row.ID, Level: level, Kind: kind,
	}
}

func stateChanged(row store.Connection, from State, v verdict, now time.Time) store.NewEvent {
	e := of(row, v.State.level(), store.ConnectionStateChanged)
	e.At, e.Message = now, v.Message
	e.Data = encode(store.StateChange{From: string(from), To: string(v.State), Message: v.Message})
	return e
}

func reauthRequired(f facts) store.NewEvent {
	e := of(f.connection, store.LevelError, store.ConnectionReauthNeeded)
	e.At = f.now
	if !f.agent.Revoked.IsZero() {
		e.Message = f.sayRevoked()
		return e
	}
	e.Message = f.sayRefused()
	if f.matrix.Missing {
		e.Message = f.sayMissing()
	} else if evidence := f.matrix.Login.LastError; evidence != nil {
		e.Code, e.RequestID = evidence.Code, evidence.RequestID
	}
	return e
}

// moves makes events of the breakers that are in another state than before.
func moves(row store.Connection, before, now *matrix) []store.NewEvent {
	if before == nil {
		before = &matrix{}
	}
	var all []store.NewEvent
	if e, moved := move(row, "the connection", before.Circuit, now.Circuit, now.System.LastError); moved {
		all = append(all, e)
	}
	for _, entity := range first(now.Entities, maxEntities) {
		for _, name := range first(now.Entities[entity], maxOperations) {
			o, was := now.Entities[entity][name], circuit{}
			if former := before.Entities[entity][name]; former != nil {
				was = former.Circuit
			}
			if e, moved := move(row, fmt.Sprintf("`%s` on %s", name, entity), was, o.Circuit, o.LastError); moved {
				e.Entity, e.Operation = entity, name
				all = append(all, e)
			}
		}
	}
	return all
}

// move is the event of a breaker that changed: guarded says what of the connection it guards.
func move(row store.Connection, guarded string, before, now circuit, why *failure) (e store.NewEvent, moved bool) {
	if before.State == now.State || before.State == "" && now.State == wire.CircuitClosed {
		return e, false
	}
	e = of(row, store.LevelInfo, store.CircuitClosed)
	e.Message = fmt.Sprintf("Calls of %s pass again.", guarded)
	switch now.State {
	case wire.CircuitOpen:
		e.Kind, e.Level, e.Message = store.CircuitOpened, store.LevelWarning, fmt.Sprintf("Calls of %s are held back after repeated failure.", guarded)
	case wire.CircuitHalfOpen:
		e.Kind, e.Message = store.CircuitHalfOpen, fmt.Sprintf("One call of %s may try whether it works again.", guarded)
	}
	if now.State != wire.CircuitClosed && why != nil {
		e.Code, e.RequestID = why.Code, why.RequestID
	}
	return e, true
}

// agentMoved is the event of an agent that came or went.
func agentMoved(id string, a *agent, connected bool, f agentFacts) store.NewEvent {
	e := store.NewEvent{
		OrganisationID: a.owner, SiteID: a.site, AgentID: id, Level: store.LevelInfo, Kind: store.AgentConnected,
		Message: fmt.Sprintf("The agent%s is connected.", on(a.host)),
	}
	if connected {
		return e
	}
	e.Level, e.Kind, e.Message = store.LevelError, store.AgentDisconnected, fmt.Sprintf("The agent%s is offline.", on(a.host))
	if f.End != "" {
		e.Message = fmt.Sprintf("The agent%s is offline; its last session ended so: %s.", on(a.host), f.End)
	}
	if !f.Seen.IsZero() {
		e.Data = encode(struct {
			LastSeenAt time.Time `json:"last_seen_at"`
		}{f.Seen.UTC().Truncate(time.Millisecond)})
	}
	return e
}

func on(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}

// encode writes an event's data, which are plain values.
func encode(data any) json.RawMessage {
	raw, err := json.Marshal(data)
	if err != nil || len(raw) > store.MaxEventData {
		return nil
	}
	return raw
}

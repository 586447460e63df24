package status

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/store"
)

// BenchmarkKeeper measures a keeper that knows 5,000 connections at 500 agents.
func BenchmarkKeeper(b *testing.B) {
	const connections, agents = 5_000, 500
	there := &presences{there: map[string]bool{}}
	k := New(Options{Store: &memory{kept: map[string]store.ConnectionCondition{}}, Logger: slog.New(slog.DiscardHandler)})
	if err := k.Start(b.Context(), there); err != nil {
		b.Fatal(err)
	}
	defer k.Stop()
	rows := make([]store.Connection, connections)
	health := make([]wire.Health, connections)
	for n := range rows {
		rows[n] = store.Connection{ID: fmt.Sprint("con_", n), OrganisationID: "org_1", AgentID: fmt.Sprint("agt_", n%agents), State: store.Active, ActivatedAt: time.Now()}
		there.set(rows[n].AgentID, true)
		k.Touch(rows[n])
		health[n] = healthy(func(h *wire.Health) {
			h.Connection = rows[n].ID
			for e := range 12 {
				h.Entities[fmt.Sprint("entity-", e)] = map[string]wire.OperationHealth{
					"list": h.Entities["items"]["list"], "get": h.Entities["items"]["list"], "create": {State: wire.OperationDenied},
				}
			}
		})
		k.Told(rows[n].AgentID, health[n])
	}
	b.Run("one status", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if s := k.Status(rows[n%connections]); s.State != Active {
				b.Fatal(s.State)
			}
		}
	})
	b.Run("the states of all", func(b *testing.B) {
		for b.Loop() {
			for _, row := range rows {
				if k.State(row) != Active {
					b.Fatal("not active")
				}
			}
		}
	})
	b.Run("one is told of", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			k.Told(rows[n%connections].AgentID, health[n%connections])
		}
	})
	b.Run("a look", func(b *testing.B) {
		for b.Loop() {
			k.look(b.Context())
		}
	})
}

package sqlite

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"testing"

	"gantry/relay/store"
)

var fullLogs = flag.Int("logs", 100, "how many full logs the benchmarks of events begin with")

// BenchmarkEvents measures writing to and reading from logs that are full.
func BenchmarkEvents(b *testing.B) {
	s, p := benchLogs(b, *fullLogs)
	ctx := b.Context()
	log := func(n int) string { return fmt.Sprintf("con_%026d", n%*fullLogs) }
	one := func(n int) store.NewEvent {
		return store.NewEvent{
			OrganisationID: p.organisation, AgentID: p.agent, ConnectionID: log(n), Level: store.LevelError, Kind: store.CallFailed,
			Entity: "items", Operation: "list", Code: "SYSTEM_TIMEOUT", RequestID: "req_new", Message: "The system did not answer in time.",
		}
	}
	read := func(want int, list func(n int) ([]store.Event, error)) func(*testing.B) {
		return func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				if events, err := list(n); err != nil || len(events) != want {
					b.Fatal(len(events), err)
				}
			}
		}
	}
	middle := fmt.Sprintf("evt_%026d", store.MaxEvents/2)
	page := func(n int) ([]store.Event, error) {
		return s.Events(ctx, p.organisation, log(n), store.EventFilter{}, store.Page{After: middle, Limit: 100})
	}
	newest := func(f store.EventFilter) func(n int) ([]store.Event, error) {
		return func(n int) ([]store.Event, error) { return s.LastEvents(ctx, p.organisation, log(n), f, 20) }
	}
	b.Run("a page from the middle", read(100, page))
	b.Run("the newest 20", read(20, newest(store.EventFilter{})))
	b.Run("the newest 20 errors, of one in fifty", read(20, newest(store.EventFilter{Level: store.LevelError})))
	b.Run("of a kind that there is not", read(0, newest(store.EventFilter{Kind: "sync"})))
	b.Run("of one request", read(1, newest(store.EventFilter{RequestID: "req_77"})))
	b.Run("append one", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := s.AppendEvents(ctx, one(n)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append 100", func(b *testing.B) {
		batch := make([]store.NewEvent, 100)
		for n := 0; b.Loop(); n++ {
			for i := range batch {
				batch[i] = one(n*len(batch) + i)
			}
			if err := s.AppendEvents(ctx, batch...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type benchPlant struct{ organisation, agent string }

// benchLogs opens a store with full logs, which are written past the store, in a transaction a log.
func benchLogs(b *testing.B, logs int) (*Store, benchPlant) {
	b.Helper()
	s, agent := benchStore(b)
	row, err := s.Agent(b.Context(), agent)
	if err != nil {
		b.Fatal(err)
	}
	p := benchPlant{row.OrganisationID, agent}
	for n := range logs {
		err := s.write.do(b.Context(), func(ctx context.Context, tx *sql.Tx) error {
			connection := fmt.Sprintf("con_%026d", n)
			if _, err := tx.ExecContext(ctx, `INSERT INTO connections (id, organisation, site, agent, system, name, tier, state, created_at, activated_at)
				SELECT ?, ?, site, id, 'demo-plant', 'Demo', 0, 'active', 0, 0 FROM agents WHERE id = ?`, connection, p.organisation, agent); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?3)
				INSERT INTO events (log, id, number, organisation, site, agent, connection, at, level, kind, entity, operation, code, request_id, message)
				SELECT ?1, printf('evt_%026d', n), n, ?2, '', '', ?1, n, iif(n % 50 = 0, 3, 1), 'call.failed', 'items', 'list', 'SYSTEM_TIMEOUT', 'req_' || n,
					'The system did not answer in time.' FROM n`, connection, p.organisation, store.MaxEvents)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s, p
}

// BenchmarkConnections measures reading 5,000 connections with their conditions, as a relay's start does, and listing a page.
func BenchmarkConnections(b *testing.B) {
	const connections = 5_000
	s, agent := benchStore(b)
	err := s.write.do(b.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
			INSERT INTO connections (id, organisation, site, agent, system, name, tier, state, created_at, activated_at)
			SELECT printf('con_%026d', n), s.organisation, s.id, a.id, 'demo-plant', 'Demo ' || n, 0, 'active', 0, 0 FROM n, agents a JOIN sites s ON s.id = a.site
			WHERE a.id = ?`, connections, agent)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO conditions (connection, state, since, reauth, matrix)
			SELECT id, 'active', 0, 0, ? FROM connections`, fmt.Sprintf(`{"entities":{%2000s}}`, ""))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	row, err := s.Agent(b.Context(), agent)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("all conditions", func(b *testing.B) {
		for b.Loop() {
			found := 0
			for page := (store.Page{}); ; {
				rows, err := s.Conditions(b.Context(), page)
				if err != nil {
					b.Fatal(err)
				}
				if found += len(rows); len(rows) < page.Size() {
					break
				}
				page.After = rows[len(rows)-1].Connection.ID
			}
			if found != connections {
				b.Fatal(found)
			}
		}
	})
	b.Run("a page of 100", func(b *testing.B) {
		for b.Loop() {
			rows, err := s.Connections(b.Context(), row.OrganisationID, store.ConnectionFilter{}, store.Page{After: "con_00000000000000000000002500", Limit: 100})
			if err != nil || len(rows) != 100 {
				b.Fatal(len(rows), err)
			}
		}
	})
}

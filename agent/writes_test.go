package agent

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"gantry/agent/control"
	"gantry/agent/journal"
	"gantry/agent/state"
)

// TestStoredWrites: what a crash left unresolved a person finds and resolves without the service, and the log says so.
func TestStoredWrites(t *testing.T) {
	dir := t.TempDir()
	db, err := state.Open(t.Context(), dir)
	fatal(t, err)
	j, err := journal.New(t.Context(), db.SQL())
	fatal(t, err)
	for _, key := range []string{"k-1", journal.AutoKey + "x"} {
		ticket, err := j.Enter(t.Context(), journal.Call{Connection: "con_1", Key: key, Method: "POST", Path: "/work-orders/7/actions/close"})
		fatal(t, err)
		fatal(t, ticket.Start(t.Context())) // and the process dies
	}
	fatal(t, db.Close())

	all, err := StoredWrites(t.Context(), dir)
	fatal(t, err)
	keys := map[string]control.Write{}
	for _, w := range all {
		keys[w.Key] = w
	}
	w := keys["k-1"]
	if len(all) != 2 || len(keys) != 2 || w.Entity != "work-orders" || w.Operation != "close" || w.RecordID != "7" || w.Since.IsZero() {
		t.Fatalf("%+v", all)
	}
	var log bytes.Buffer
	resolved, err := ResolveStoredWrite(t.Context(), dir, w.ID, true, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || resolved != w || !strings.Contains(log.String(), "write="+w.ID+" happened=true connection=con_1") {
		t.Errorf("%+v, %v, %s", resolved, err, log.String())
	}
	if _, err := ResolveStoredWrite(t.Context(), dir, w.ID, true, slog.New(slog.DiscardHandler)); !errors.Is(err, journal.ErrNoWrite) {
		t.Errorf("a second time: %v", err)
	}
	if all, err := StoredWrites(t.Context(), dir); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	lock, err := state.Lock(dir)
	fatal(t, err)
	defer lock.Close() //nolint:errcheck // the test ends
	if _, err := StoredWrites(t.Context(), dir); !errors.Is(err, state.ErrInUse) {
		t.Errorf("while an agent has the folder: %v", err)
	}
}

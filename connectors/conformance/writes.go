package conformance

import (
	"maps"
	"testing"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// newPart is one part more, as parameters.
func newPart(i int) connectors.Vars {
	vars := connectors.Vars{}
	maps.Copy(vars, Parts(i)[i-1])
	return vars
}

// begin starts a unit of work that ends with the test.
func begin(t testing.TB, conn connectors.Conn, readOnly bool) connectors.Tx {
	t.Helper()
	tx, err := conn.Begin(t.Context(), readOnly)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func (s Suite) names(t testing.TB, conn connectors.Conn, id int64) []any {
	t.Helper()
	var names []any
	for _, row := range mustCollect(t, conn.Read(t.Context(), connectors.Read{
		Statement: s.statement(t, s.Steps.One), Vars: connectors.Vars{"part_id": id},
	})) {
		names = append(names, row["name"])
	}
	return names
}

func testReadOnly(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	writes := s.statement(t, s.Steps.Writes)
	if _, err := collect(conn.Read(t.Context(), connectors.Read{Statement: writes})); err == nil {
		t.Error("Read wrote")
	}
	tx := begin(t, conn, true)
	if _, err := tx.Exec(t.Context(), writes, nil); err == nil {
		t.Error("a read-only unit of work wrote")
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	// A session that wrote must be as harmless afterwards.
	tx = begin(t, conn, false)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := collect(conn.Read(t.Context(), connectors.Read{Statement: writes})); err == nil {
			t.Error("Read wrote in a session that had been opened for writing")
		}
	}
	all := mustCollect(t, conn.Read(t.Context(), connectors.Read{Statement: s.statement(t, s.Steps.All)}))
	if len(all) != PartCount {
		t.Errorf("%d parts are left", len(all))
	}
}

// testTransaction also holds a system without transactions to its word: each effect is there at once, and stays.
func testTransaction(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	undone := "Größe 1's"
	if !conn.Atomic() {
		undone = "renamed"
	}
	rename := s.statement(t, s.Steps.Rename)
	for _, test := range []struct {
		name string
		end  func(connectors.Tx) error
		want string
	}{
		{"rollback", func(tx connectors.Tx) error { return tx.Rollback() }, undone},
		{"commit", func(tx connectors.Tx) error { return tx.Commit(t.Context()) }, "renamed"},
	} {
		tx := begin(t, conn, false)
		effect, err := tx.Exec(t.Context(), rename, connectors.Vars{"part_id": int64(1), "name": "renamed"})
		if err != nil || effect.Affected != 1 {
			t.Fatalf("rename: %+v, %v", effect, err)
		}
		inside := mustCollect(t, tx.Read(t.Context(), connectors.Read{
			Statement: s.statement(t, s.Steps.One), Vars: connectors.Vars{"part_id": int64(1)},
		}))
		if len(inside) != 1 || inside[0]["name"] != "renamed" {
			t.Errorf("a unit of work does not see its own effect: %v", inside)
		}
		if err := test.end(tx); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff([]any{test.want}, s.names(t, conn, 1)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", test.name, diff)
		}
		if err := tx.Rollback(); err != nil {
			t.Errorf("rollback after the end: %v", err)
		}
	}
}

// testEffects also reads only a part of a result inside a unit of work, which must not undo it.
func testEffects(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	tx := begin(t, conn, false)
	for range tx.Read(t.Context(), connectors.Read{Statement: s.statement(t, s.Steps.All)}) {
		break
	}
	effect, err := tx.Exec(t.Context(), s.statement(t, s.Steps.Returning), newPart(PartCount+1))
	want := connectors.Effect{Affected: 1, Row: connectors.Row{"part_id": int64(PartCount + 1)}}
	if diff := cmp.Diff(want, effect); err != nil || diff != "" {
		t.Fatalf("returning: %v (-want +got):\n%s", err, diff)
	}
	effect, err = tx.Exec(t.Context(), s.statement(t, s.Steps.Rename), connectors.Vars{"part_id": int64(-1), "name": "none"})
	if err != nil || effect.Affected != 0 {
		t.Errorf("no effect: %+v, %v", effect, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := mustCollect(t, conn.Read(t.Context(), connectors.Read{
		Statement: s.statement(t, s.Steps.One), Vars: connectors.Vars{"part_id": int64(PartCount + 1)},
	}))
	if diff := cmp.Diff([]connectors.Row{connectors.Row(newPart(PartCount + 1))}, got); diff != "" {
		t.Errorf("what was written is not what is read (-want +got):\n%s", diff)
	}
}

func testDuplicate(t *testing.T, s Suite) {
	conn, _ := s.open(t)
	tx := begin(t, conn, false)
	_, err := tx.Exec(t.Context(), s.statement(t, s.Steps.Insert), newPart(1))
	f := wantKind(t, "duplicate", err, connectors.Answered)
	if f.Status == "" || f.Message == "" || f.Sent {
		t.Errorf("the failure lacks the system's words, or says that it had an effect: %+v", f)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

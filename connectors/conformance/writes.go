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
	for i, end := range []string{"rollback", "commit"} {
		tx := begin(t, conn, false)
		id, before, after := s.effect(t, tx, i)
		inside := mustCollect(t, tx.Read(t.Context(), connectors.Read{
			Statement: s.statement(t, s.Steps.One), Vars: connectors.Vars{"part_id": id},
		}))
		if len(inside) != 1 || inside[0]["name"] != after[0] {
			t.Errorf("a unit of work does not see its own effect: %v", inside)
		}
		want, err := after, error(nil)
		if end == "commit" {
			err = tx.Commit(t.Context())
		} else {
			err = tx.Rollback()
			if conn.Atomic() {
				want = before
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", end, err)
		}
		if diff := cmp.Diff(want, s.names(t, conn, id)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", end, diff)
		}
		if err := tx.Rollback(); err != nil {
			t.Errorf("rollback after the end: %v", err)
		}
	}
}

// effect renames a part, or makes one where the system never changes a record. It gives the names that the part had, and has.
func (s Suite) effect(t testing.TB, tx connectors.Tx, i int) (id int64, before, after []any) {
	t.Helper()
	statement, vars := s.Steps.Rename, connectors.Vars{"part_id": int64(1), "name": "renamed"}
	before, after = []any{"Größe 1's"}, []any{"renamed"}
	if statement == nil {
		vars = newPart(PartCount + 1 + i)
		statement, before, after = s.Steps.Insert, nil, []any{vars["name"]}
	}
	effect, err := tx.Exec(t.Context(), s.statement(t, statement), vars)
	if err != nil || effect.Affected != 1 {
		t.Fatalf("effect: %+v, %v", effect, err)
	}
	return vars["part_id"].(int64), before, after
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
	if s.Steps.Rename != nil {
		effect, err = tx.Exec(t.Context(), s.statement(t, s.Steps.Rename), connectors.Vars{"part_id": int64(-1), "name": "none"})
		if err != nil || effect.Affected != 0 {
			t.Errorf("no effect: %+v, %v", effect, err)
		}
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

package conformance

import (
	"testing"

	"gantry/connectors"
)

// Suite is what a driver's tests tell of it.
type Suite struct {
	Driver  connectors.Driver
	Dialect string

	// Target reaches a system of its own for one test, in which the table part holds Parts(PartCount).
	Target func(t testing.TB) connectors.Target

	Steps Steps

	// Refuse makes a target's login one that the system refuses; nil: the system has no logins.
	Refuse func(target *connectors.Target)

	// Running counts the Slow statements that the system is running; nil: it cannot be asked.
	Running func(t testing.TB) int

	// Reads says that the driver makes sure that Read cannot write.
	Reads bool
}

// Steps are native members of steps, as connectors.Driver.Compile takes them.
type Steps struct {
	All       map[string]any // every part: part_id, name, price, category, modified
	One       map[string]any // the part :part_id
	Insert    map[string]any // :part_id, :name, :price, :category, :modified
	Returning map[string]any // the same, and gives the column part_id as the effect's row
	Rename    map[string]any // gives the part :part_id the name :name; nil: the system never changes a record
	Slow      map[string]any // gives its first row after 20 seconds or more
	SlowWrite map[string]any // an effect that takes as long; nil: Slow is one too, or, without Rename, the system has none
	Many      map[string]any // a million rows, one column
	Writes    map[string]any // what is no read, given to Read: it would delete all parts
}

// statement compiles a step.
func (s Suite) statement(t testing.TB, native map[string]any) connectors.Statement {
	t.Helper()
	statement, err := s.Driver.Compile(s.Dialect, native)
	if err != nil {
		t.Fatalf("compile %v: %v", native, err)
	}
	return statement
}

// open connects to a system of its own.
func (s Suite) open(t testing.TB) (connectors.Conn, connectors.Target) {
	t.Helper()
	target := s.Target(t)
	return s.connect(t, target), target
}

func (s Suite) connect(t testing.TB, target connectors.Target) connectors.Conn {
	t.Helper()
	conn, err := s.Driver.Open(t.Context(), target)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return conn
}

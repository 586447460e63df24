package sqldriver

import (
	"testing"

	"gantry/connectors"
)

// Native is a rendered read, for tests that ask a server for its plan.
type Native struct {
	SQL  string
	Args []any
}

// Rendered gives what Read would send.
func Rendered(t testing.TB, dialect, source string, r connectors.Read) Native {
	t.Helper()
	d, _ := findDialect(dialect)
	s, err := compile(d, map[string]any{"sql": source})
	if err != nil {
		t.Fatal(err)
	}
	r.Statement = s
	q, err := renderRead(r)
	if err != nil {
		t.Fatal(err)
	}
	return Native{q.text.String(), q.args}
}

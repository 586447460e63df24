package sqldriver

import (
	"context"
	"fmt"

	"gantry/connectors"
)

// Driver speaks to SQL databases.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "sql" }

// Compile implements connectors.Driver. native has the members sql and, for MySQL, last_insert_id: the column in which
// the generated key is returned.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	d, ok := findDialect(dialect)
	if !ok {
		return nil, unknownDialect(dialect)
	}
	if discover, is := native["discover"]; is {
		return compileDiscovery(d, discover)
	}
	s, err := compile(d, native)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open implements connectors.Driver. It logs in when the first call needs it.
func (Driver) Open(ctx context.Context, t connectors.Target) (connectors.Conn, error) {
	d, ok := findDialect(t.Dialect)
	if !ok {
		return nil, connectors.Misuse("%w", unknownDialect(t.Dialect))
	}
	a, err := newAddress(t)
	if err != nil {
		return nil, err
	}
	return open(d, a, t)
}

func unknownDialect(name string) error {
	known := make([]string, 0, len(dialects()))
	for _, d := range dialects() {
		known = append(known, d.name())
	}
	return fmt.Errorf("unknown dialect %q; the sql driver has %v", name, known)
}

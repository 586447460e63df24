package jsonrpc

import (
	"context"

	"gantry/connectors"
)

// Driver speaks to systems that are called by method and parameters.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "jsonrpc" }

const tryton = "tryton"

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	const server = "Tryton 6.0"
	return connectors.Specification{
		Speaks:   "JSON over HTTP, called by method and parameters",
		Dialects: []connectors.Claim{{Name: tryton, Means: "near to JSON-RPC, and not it", On: server}},
		Logins:   []connectors.Claim{{Name: "session", Means: "one login, kept and renewed", On: server}, {Name: "basic", Means: "with every call"}},
		Pages:    []connectors.Claim{{Name: "keyset", Means: "after the last record, in Tryton's own query language", On: server}},
		Kits:     []string{"base/tryton"},
		Limits:   "No transactions over more than one call.",
	}
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := connectors.CheckDialect(Driver{}, dialect); err != nil {
		return nil, err
	}
	if discover, is := native["discover"]; is {
		return compileDiscovery(discover)
	}
	s, err := compile(native)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open implements connectors.Driver. It logs in when the first call needs it.
func (Driver) Open(_ context.Context, t connectors.Target) (connectors.Conn, error) {
	if err := connectors.CheckDialect(Driver{}, t.Dialect); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c, err := open(t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

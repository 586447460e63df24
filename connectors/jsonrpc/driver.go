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

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	const trytonServer, odooServer, rpcServer = "Tryton 6.0", "Odoo 19", "a JSON-RPC 2.0 service of jayson"
	return connectors.Specification{
		Speaks: "JSON over HTTP, called by method and parameters",
		Dialects: []connectors.Claim{
			{Name: "2.0", Means: "JSON-RPC 2.0", On: rpcServer}, {Name: "odoo", Means: "Odoo's external interface", On: odooServer},
			{Name: "tryton", Means: "near to JSON-RPC, and not it", On: trytonServer},
		},
		Logins: []connectors.Claim{
			{Name: "session", Means: "one login, kept and renewed", On: trytonServer}, {Name: "basic", Means: "with every call"},
		},
		Pages:  []connectors.Claim{{Name: "keyset", Means: "after the last record, in the system's own query language", On: trytonServer + ", " + odooServer}},
		Kits:   []string{"base/jsonrpc"},
		Limits: "No transactions over more than one call.",
	}
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	d, err := dialectOf(dialect)
	if err != nil {
		return nil, err
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
func (Driver) Open(_ context.Context, t connectors.Target) (connectors.Conn, error) {
	d, err := dialectOf(t.Dialect)
	if err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c, err := open(d, t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

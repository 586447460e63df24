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
	const (
		service = "a service of the library json-rpc"
		odoo    = "Odoo 19"
		tryton  = "Tryton 6.0"
	)
	return connectors.Specification{
		Speaks: "JSON over HTTP, called by method and parameters",
		Dialects: []connectors.Claim{
			{Name: "2.0", Means: "JSON-RPC 2.0, and nothing beside it", On: service},
			{Name: "odoo", Means: "Odoo's external API", On: odoo},
			{Name: "tryton", Means: "near to JSON-RPC, and not it", On: tryton},
		},
		Logins: []connectors.Claim{
			{Name: "session", Means: "one login, kept and renewed", On: tryton + ", " + service},
			{Name: "password", Means: "Odoo's: it, or an API key, with every call", On: odoo},
			{Name: "basic", Means: "with every call"},
			{Name: "bearer", Means: "a token with every call"},
			{Name: "none", Means: "no login"},
		},
		Pages: []connectors.Claim{
			{Name: "keyset", Means: "after the last record, in the system's own query language", On: tryton + ", " + odoo},
			{Name: "offset", Means: "by the number of the record, of what a call gives", On: service},
		},
		Passes: connectors.ByMethod,
		Kits:   []string{"base/jsonrpc", "base/odoo", "base/tryton"},
		Limits: "No transactions over more than one call.",
	}
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := connectors.CheckDialect(Driver{}, dialect); err != nil {
		return nil, err
	}
	d := dialects[dialect]
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
	if err := connectors.CheckDialect(Driver{}, t.Dialect); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c, err := open(dialects[t.Dialect], t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

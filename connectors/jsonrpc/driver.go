package jsonrpc

import (
	"context"
	"fmt"

	"gantry/connectors"
)

// Driver speaks to systems that are called by method and parameters.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "jsonrpc" }

const tryton = "tryton"

func checkDialect(dialect string) error {
	if dialect != tryton {
		return fmt.Errorf("dialect: the jsonrpc driver has the dialect tryton, not %q", dialect)
	}
	return nil
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := checkDialect(dialect); err != nil {
		return nil, err
	}
	s, err := compile(native)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open implements connectors.Driver. It logs in when the first call needs it.
func (Driver) Open(_ context.Context, t connectors.Target) (connectors.Conn, error) {
	if err := checkDialect(t.Dialect); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c, err := open(t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

package odata

import (
	"context"
	"fmt"

	"gantry/connectors"
)

// Driver speaks OData.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "odata" }

// The dialects: versions of the protocol.
const (
	v2 = "v2"
	v4 = "v4"
)

func checkDialect(dialect string) error {
	if dialect != v2 && dialect != v4 {
		return fmt.Errorf("dialect: the odata driver has the dialects v2 and v4, not %q", dialect)
	}
	return nil
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, step map[string]any) (connectors.Statement, error) {
	if err := checkDialect(dialect); err != nil {
		return nil, err
	}
	if own, there := step["protocol"]; there {
		p, err := compileProtocol(dialect, own)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	s, err := compile(dialect, step)
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

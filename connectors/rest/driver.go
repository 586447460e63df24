package rest

import (
	"context"
	"fmt"

	"gantry/connectors"
)

// Driver speaks to systems with an interface over HTTP.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "rest" }

// The dialects: what answers are written in.
const (
	dialectJSON = "json"
	dialectXML  = "xml"
)

func checkDialect(dialect string) error {
	if dialect != dialectJSON && dialect != dialectXML {
		return fmt.Errorf("dialect: the rest driver has the dialects json and xml, not %q", dialect)
	}
	return nil
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := checkDialect(dialect); err != nil {
		return nil, err
	}
	if own, there := native["protocol"]; there {
		p, err := compileProtocol(own)
		if err != nil {
			return nil, err
		}
		return p, nil
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

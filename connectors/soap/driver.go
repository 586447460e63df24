package soap

import (
	"context"
	"fmt"

	"gantry/connectors"
)

// Driver speaks SOAP.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "soap" }

// version is what differs between the versions of the protocol.
type version struct{ name, namespace, media string }

var versions = map[string]version{
	"soap11": {"SOAP 1.1", "http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"},
	"soap12": {"SOAP 1.2", "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"},
}

func versionOf(dialect string) (version, error) {
	v, known := versions[dialect]
	if !known {
		return v, fmt.Errorf("dialect: the soap driver has the dialects soap11 and soap12, not %q", dialect)
	}
	return v, nil
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if _, err := versionOf(dialect); err != nil {
		return nil, err
	}
	s, err := compile(native)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open implements connectors.Driver. Nothing is sent before the first call.
func (Driver) Open(_ context.Context, t connectors.Target) (connectors.Conn, error) {
	c, err := open(t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

package soap

import (
	"context"

	"gantry/connectors"
)

// Driver speaks SOAP.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "soap" }

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	const server = "PHP's SoapServer"
	return connectors.Specification{
		Speaks:   "SOAP over HTTP, document/literal: envelopes of the definition, filled with values",
		Dialects: []connectors.Claim{{Name: "soap11", Means: "SOAP 1.1", On: server}, {Name: "soap12", Means: "SOAP 1.2"}},
		Logins: []connectors.Claim{
			{Name: loginNone}, {Name: loginBasic, Means: "with every request", On: server},
			{Name: loginText, Means: "UsernameToken of WS-Security", On: server}, {Name: loginDigest, Means: "the same, without the password in clear", On: server},
		},
		Pages:  []connectors.Claim{{Name: "offset", Means: "by the record's number, with or without a total", On: server}},
		Kits:   []string{"base/soap"},
		Limits: "No transactions: each effect is immediate. No services of the style rpc/encoded.",
	}
}

// version is what differs between the versions of the protocol.
type version struct{ name, namespace, media string }

var versions = map[string]version{
	"soap11": {"SOAP 1.1", "http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"},
	"soap12": {"SOAP 1.2", "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"},
}

func versionOf(dialect string) (version, error) {
	return versions[dialect], connectors.CheckDialect(Driver{}, dialect)
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

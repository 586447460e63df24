package odata

import (
	"context"

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

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	const mock = "SAP's mock server for OData"
	return connectors.Specification{
		Speaks:   "OData, whose $metadata it reads: batches, tokens against forged requests and ETags among it",
		Dialects: []connectors.Claim{{Name: v2, Means: "version 2, as SAP Gateway speaks it", On: mock}, {Name: v4, Means: "version 4", On: mock}},
		Logins: []connectors.Claim{
			{Name: loginNone}, {Name: loginBasic}, {Name: loginBearer, Means: "a token that does not end"},
			{Name: loginOAuth2, Means: "client credentials, renewed, also between two pages"},
			{Name: loginNTLM, Means: "its test's server checks the password as Microsoft's document says; no Windows was at hand"},
			{Name: loginSession, Means: "a request whose answer sets cookies, renewed"},
		},
		Pages: []connectors.Claim{
			{Name: byKeyset, Means: "after the last record, by $filter and $orderby", On: mock}, {Name: byServer, Means: "the service's own pages"},
			{Name: bySkip, Means: "$skip and $top, overlapping by one record"},
		},
		Passes: connectors.OverHTTP,
		Kits:   []string{"base/odata-v2", "base/odata-v4"},
		Limits: "Not proved on SAP itself, nor on another productive service. SAP's mock server keeps the records and speaks the protocol; what a " +
			"productive Gateway asks for beside (logins, the token against forged requests, If-Match, its own pages, change sets that are whole) is asked " +
			"for by a server of ours before it, which also says filters otherwise where the mock's parser fails. No deltas, no $search, no functions of " +
			"version 4 that are called with get.",
	}
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, step map[string]any) (connectors.Statement, error) {
	if err := connectors.CheckDialect(Driver{}, dialect); err != nil {
		return nil, err
	}
	if own, there := step["protocol"]; there {
		p, err := compileProtocol(dialect, own)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	if discover, there := step["discover"]; there {
		return compileDiscovery(discover)
	}
	s, err := compile(dialect, step)
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

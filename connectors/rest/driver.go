package rest

import (
	"context"

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

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	const pocketBase, tokenServer = "PocketBase", "oidc-provider"
	return connectors.Specification{
		Speaks: "JSON over HTTP, and reads XML: each product's way is data of its definition",
		Dialects: []connectors.Claim{
			{Name: dialectJSON, Means: "JSON both ways", On: pocketBase},
			{Name: dialectXML, Means: "XML in answers, JSON in requests"},
		},
		Logins: []connectors.Claim{
			{Name: loginNone}, {Name: loginBasic}, {Name: loginBearer, Means: "a token that does not end"}, {Name: loginAPIKey, Means: "a key in a header"},
			{Name: loginSession, Means: "a token or cookie out of the answer to a login, renewed", On: pocketBase},
			{Name: loginOAuth2, Means: "client credentials, RFC 6749; renewed, also between two pages", On: tokenServer},
			{Name: loginNTLM, Means: "its test's server checks no password"},
		},
		Pages: []connectors.Claim{
			{Name: byKeyset, Means: "after the last record, by filter and sort", On: pocketBase}, {Name: byPage, Means: "by the page's number", On: pocketBase},
			{Name: byOffset, Means: "by the record's number"}, {Name: byLink, Means: "by a link in the answer"},
			{Name: byHeader, Means: "by the header Link, RFC 8288"}, {Name: byCursor, Means: "by a token in the answer"}, {Name: byNone, Means: "one answer is everything"},
		},
		Passes: connectors.OverHTTP,
		Kits:   []string{"base/rest"},
		Limits: "No transactions: each effect is immediate. XML is read, not written.",
	}
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := connectors.CheckDialect(Driver{}, dialect); err != nil {
		return nil, err
	}
	if own, there := native["protocol"]; there {
		p, err := compileProtocol(own)
		if err != nil {
			return nil, err
		}
		return p, nil
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

package generator

import (
	"github.com/google/jsonschema-go/jsonschema"

	"gantry/relay/openapi"
	"gantry/tunnel/fault"
)

// frame is the document without its operations.
func frame() *document {
	return &document{
		OpenAPI: "3.1.1",
		Info: info{
			Title: "Gantry", Version: "1.0",
			Summary:     "One API to the systems inside a plant.",
			Description: about, License: license{"Proprietary", "LicenseRef-Gantry"},
		},
		Servers:    []server{{openapi.Base, "The relay that serves this document."}},
		Paths:      map[string]map[string]*operation{},
		ErrorCodes: errorCodes(),
		Components: components{
			Responses: map[string]*response{}, Parameters: map[string]*parameter{}, Headers: map[string]header{},
			Security: map[string]scheme{
				organisationKey: {"http", "bearer", "gok_…", "An organisation key. Its role says what it may do: `admin` everything, `support` read and diagnose, `read` read."},
				connectionToken: {"http", "bearer", "gct_…", "The token of one connection: its data, and nothing else. It is shown once, when the connection is made or its token is replaced."},
			},
		},
	}
}

const about = "Read and write the ERP, maintenance and warehouse systems inside a plant, whatever they are, through an agent in the plant that dials out.\n\n" +
	"**Tokens.** Send `Authorization: Bearer <token>`. An organisation key (`gok_…`) manages sites and connections; a connection's token (`gct_…`) reads and writes the data of that one connection. An organisation key can speak for a connection: send `Gantry-Connection: <id>` with it.\n\n" +
	"**Records** look the same whatever the system behind: snake_case, references end in `_id`, times in `_at` (RFC 3339, UTC), money and quantities are exact decimals as strings.\n\n" +
	"**Lists** come in pages: `limit`, `next_cursor`, `has_more`. With `Accept: application/x-ndjson` a list of records comes whole, a record a line, in constant memory; its last line is `{\"end\":{\"count\":N}}`, or `{\"error\":{…}}`.\n\n" +
	"**Writes** happen once with an `Idempotency-Key`: the same key gives the first result again, also after a crash. `dry_run=true` makes every check and writes nothing. `If-Match` with the record's etag guards against others' changes.\n\n" +
	"**Failures** are always `application/problem+json` with a `code` that never changes its name, the `hop` that failed, how far it reaches (`scope`), for a write whether it happened (`outcome`), and what to do (`advice`). A path that is not described here is `NOT_FOUND`, a method `METHOD_NOT_ALLOWED`.\n\n" +
	"**Limits.** `RateLimit` and `RateLimit-Policy` tell what the token has left; `Retry-After` how long to wait. Every answer has a `Request-Id`: quote it to support.\n\n" +
	"**Changes** within v1 only add. Ignore members that you do not know; the server refuses those that it does not know."

func errorCodes() (all []errorCode) {
	for _, s := range fault.Specs() {
		all = append(all, errorCode{string(s.Code), s.Status, s.Title, s.Meaning, s.Advice, string(s.Hop), string(s.Scope), s.Retryable})
	}
	return all
}

// commonHeaders are the headers that answers of many kinds have.
func commonHeaders() map[string]header {
	text := &jsonschema.Schema{Type: "string"}
	return map[string]header{
		"RequestId": {Required: true, Schema: text, Example: "req_4M7RPA2CYPVVXKAO5GQB2CHYZE",
			Description: "The id of the request: your own, if you sent a sane one. It stands in the logs of relay and agent."},
		"RateLimit": {Schema: text, Example: `"token";r=99;t=1`,
			Description: "What the token has left: `r` calls, and `t` seconds until the bucket is full (draft-ietf-httpapi-ratelimit-headers)."},
		"RateLimitPolicy": {Schema: text, Example: `"token";q=100;w=10`,
			Description: "The token's limit: `q` calls in a full bucket, which fills in `w` seconds."},
		"RetryAfter":      {Schema: &jsonschema.Schema{Type: "integer"}, Example: 15, Description: "How many seconds to wait before the next try."},
		"WWWAuthenticate": {Schema: text, Example: `Bearer realm="gantry"`, Description: "The scheme to authenticate with."},
		"Allow":           {Schema: text, Example: "GET, PATCH", Description: "What would be allowed instead."},
	}
}

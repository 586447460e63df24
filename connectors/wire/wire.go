// Package wire is the protocol between relay and agent: plain HTTP/1.1 inside the tunnel, in both directions.
//
// Relay to agent: the calls of connections, their life and health, the catalogue, a ping. Agent to relay: the renewal of its
// certificate, and word that it is about to stop. Errors are problem documents (package fault). No clock time crosses:
// a call carries the milliseconds it has left.
//
// The package holds names and shapes only; who serves a path is agent/… and relay/….
package wire

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Paths that the agent serves. {c} is a connection id, {entity} an entity's name, {id} a record's id, path-escaped.
const (
	PathPing         = "/v1/ping"                                                   // GET: Pong
	PathCatalogue    = "/v1/catalogue"                                              // GET: Catalogue; the relay takes one, too
	PathReconcile    = "/v1/reconcile"                                              // POST Reconcile: 204
	PathConnection   = "/v1/connections/{c}"                                        // PUT OpenConnection: 200 Opened, or NDJSON: each step of the login, then {"end": Opened} or {"error": …} · DELETE: 204
	PathCapabilities = "/v1/connections/{c}/capabilities"                           // GET
	PathRecords      = "/v1/connections/{c}/records/{entity}"                       // GET list (JSON page or NDJSON), POST create
	PathRecord       = "/v1/connections/{c}/records/{entity}/{id}"                  // GET, PATCH, DELETE
	PathAction       = "/v1/connections/{c}/records/{entity}/{id}/actions/{action}" // POST
)

// Paths that the relay serves to the agent.
const (
	PathRenew   = "/v1/renew"   // POST Renewal: 200 Renewed. PathCatalogue is the relay's, too: POST Catalogue, which changed: 204
	PathMeasure = "/v1/measure" // POST bytes, which are thrown away, ?bytes=N: 200 and N zeros; up to MaxMeasure each way
)

// MaxMeasure bounds what one measurement of the tunnel's throughput moves each way, in bytes.
const MaxMeasure = 8 << 20

// PathDrain is served by both: POST, 204. The sender will close the session when the calls under way on it are finished;
// the receiver starts no new ones there. The relay answers when its own calls on the session are finished, so that none
// is in the pipe, unseen by the agent, when the session closes. The agent, which makes none, answers at once.
const PathDrain = "/v1/drain"

// Headers of a call, relay to agent.
const (
	HeaderRequestID      = "Gantry-Request-Id"
	HeaderBudget         = "Gantry-Budget" // milliseconds left for a unary call
	HeaderIdempotencyKey = "Idempotency-Key"
	HeaderIfMatch        = "If-Match"
)

// Headers of an answer, agent to relay; the relay passes these on, and no others.
const (
	HeaderETag       = "ETag" // quoted, as RFC 9110 has it
	HeaderDeleteMode = "X-Delete-Mode"
	HeaderReplayed   = "Idempotency-Replayed"
	HeaderRecordID   = "Gantry-Record-Id" // of a created record: the relay makes Location of it
)

// NDJSON is the media type of a stream of records.
const NDJSON = "application/x-ndjson"

// SetBudget writes the time that a call has left.
func SetBudget(h http.Header, left time.Duration) {
	h.Set(HeaderBudget, strconv.FormatInt(max(left.Milliseconds(), 1), 10))
}

// Budget reads the time that a call has left; fallback where the header is missing or out of range.
func Budget(h http.Header, fallback time.Duration) time.Duration {
	ms, err := strconv.ParseInt(h.Get(HeaderBudget), 10, 64)
	if err != nil || ms <= 0 || ms > int64(time.Hour/time.Millisecond) {
		return fallback
	}
	return time.Duration(ms) * time.Millisecond
}

// RecordPath gives the path of an entity's records, one record or an action on it; id and action may be empty.
func RecordPath(connection, entity, id, action string) string {
	p := "/v1/connections/" + url.PathEscape(connection) + "/records/" + url.PathEscape(entity)
	if id != "" {
		p += "/" + url.PathEscape(id)
	}
	if action != "" {
		p += "/actions/" + url.PathEscape(action)
	}
	return p
}

// ConnectionPath gives the path of one connection.
func ConnectionPath(connection string) string {
	return "/v1/connections/" + url.PathEscape(connection)
}

// Pong answers a ping from the agent's own loop.
type Pong struct {
	AgentID    string `json:"agent_id"`
	InstanceID string `json:"instance_id"`
}

// Reconcile tells the agent which connections exist at the relay. The agent erases every other one, before it answers.
// Paused are those of them that rest: the agent ends their logins and makes neither calls nor probes on them, until a
// Reconcile that does not name them. Each Reconcile tells the whole.
type Reconcile struct {
	Connections []string `json:"connections"`
	Paused      []string `json:"paused,omitempty"`
}

// OpenConnection asks the agent to log in and, if that works, to keep the login. Exactly one of Credentials and
// Sealed is there.
type OpenConnection struct {
	Organisation string          `json:"organisation"`
	Site         string          `json:"site"`
	System       string          `json:"system"`
	Name         string          `json:"name"`
	Settings     json.RawMessage `json:"settings"`
	Credentials  json.RawMessage `json:"credentials,omitempty"`
	Sealed       json.RawMessage `json:"sealed_credentials,omitempty"`
}

// Opened is the answer to OpenConnection: the login worked and is kept.
type Opened struct {
	System  string `json:"system"`
	Version string `json:"definition_version"`
	Product string `json:"product_version,omitempty"` // what the system says of itself
}

// Renewal asks for a new certificate for the agent's key. The session proves who asks.
type Renewal struct {
	CSR []byte `json:"csr"` // PKCS #10, DER
}

// Renewed is the new certificate.
type Renewed struct {
	Certificate []byte `json:"certificate"` // X.509, DER
}

package fault

import (
	"net/http"
	"slices"
	"time"
)

// Code names one kind of failure. It is part of the public contract: a code is never renamed.
type Code string

// The codes. What each means, and how it is answered, stands in the table below.
const (
	InvalidRequest         Code = "INVALID_REQUEST"
	AuthenticationFailed   Code = "AUTHENTICATION_FAILED"
	TokenRevoked           Code = "TOKEN_REVOKED"
	NoCredits              Code = "NO_CREDITS"
	PolicyDenied           Code = "POLICY_DENIED"
	PermissionDenied       Code = "PERMISSION_DENIED"
	Forbidden              Code = "FORBIDDEN"
	NotFound               Code = "NOT_FOUND"
	OperationNotSupported  Code = "OPERATION_NOT_SUPPORTED"
	MethodNotAllowed       Code = "METHOD_NOT_ALLOWED"
	Conflict               Code = "CONFLICT"
	Duplicate              Code = "DUPLICATE"
	RecordLocked           Code = "RECORD_LOCKED"
	ConnectionDisconnected Code = "CONNECTION_DISCONNECTED"
	PreconditionFailed     Code = "PRECONDITION_FAILED"
	PayloadTooLarge        Code = "PAYLOAD_TOO_LARGE"
	UnsupportedMediaType   Code = "UNSUPPORTED_MEDIA_TYPE"
	ValidationFailed       Code = "VALIDATION_FAILED"
	FieldRequired          Code = "FIELD_REQUIRED"
	FieldNotUpdatable      Code = "FIELD_NOT_UPDATABLE"
	BusinessRule           Code = "BUSINESS_RULE"
	IdempotencyKeyReused   Code = "IDEMPOTENCY_KEY_REUSED"
	RowLimit               Code = "ROW_LIMIT"
	CredentialsExpired     Code = "CREDENTIALS_EXPIRED"
	RateLimitExceeded      Code = "RATE_LIMIT_EXCEEDED"
	SystemRateLimited      Code = "SYSTEM_RATE_LIMITED"
	Cancelled              Code = "CANCELLED"
	Internal               Code = "INTERNAL"
	SystemError            Code = "SYSTEM_ERROR"
	TunnelLost             Code = "TUNNEL_LOST"
	AgentOffline           Code = "AGENT_OFFLINE"
	SystemUnreachable      Code = "SYSTEM_UNREACHABLE"
	CircuitOpen            Code = "CIRCUIT_OPEN"
	ConnectionPaused       Code = "CONNECTION_PAUSED"
	Overloaded             Code = "OVERLOADED"
	SystemTimeout          Code = "SYSTEM_TIMEOUT"
)

// Spec is what is true of every error of a code unless the place that makes it knows better.
type Spec struct {
	Code       Code
	Status     int // HTTP
	Title      string
	Hop        Hop
	Scope      Scope
	Retryable  bool
	RetryAfter time.Duration
	Advice     string
	Meaning    string // for docs/errors.md
}

// specs is the one table of codes; docs/errors.md is generated from it. Order is that of the page.
var specs = []Spec{
	{InvalidRequest, http.StatusBadRequest, "Invalid request", HopClient, ScopeOperation, false, 0,
		"Correct the request as `fields` says and send it again.",
		"The request is malformed: unknown parameter or member, wrong type, bad cursor. `fields` names each fault."},
	{AuthenticationFailed, http.StatusUnauthorized, "Authentication failed", HopClient, ScopeConnection, false, 0,
		"Send `Authorization: Bearer <token>` with a whole, current token.",
		"Gantry's own token is missing, mistyped, unknown or expired. (The system's login is CREDENTIALS_EXPIRED.)"},
	{TokenRevoked, http.StatusUnauthorized, "Token revoked", HopClient, ScopeConnection, false, 0,
		"Use the connection's new token, or make one with POST /connections/{id}/token.",
		"The token was valid once and has been revoked or replaced."},
	{NoCredits, http.StatusPaymentRequired, "No connection credits left", HopRelay, ScopeOrganisation, false, 0,
		"Disconnect a connection that is no longer needed, or ask for more credits.",
		"The organisation's pool has fewer credits available than the system's tier costs."},
	{PolicyDenied, http.StatusForbidden, "The plant's policy denies this", HopPolicy, ScopeOperation, false, 0,
		"Ask the plant's IT to allow it on the agent.",
		"The plant's own policy, kept in the agent's configuration, says no. The advice holds the command that would allow it."},
	{PermissionDenied, http.StatusForbidden, "The system's login may not do this", HopSystem, ScopeEntity, false, 0,
		"Ask the system's administrator to give the login the right.",
		"The plant's system knows the login, and refuses it this entity or operation."},
	{Forbidden, http.StatusForbidden, "This token may not do this", HopRelay, ScopeOperation, false, 0,
		"Use a key whose role allows it.",
		"The kind or the role of the Gantry token does not allow the operation."},
	{NotFound, http.StatusNotFound, "Not found", HopClient, ScopeRecord, false, 0,
		"Check the id; list the collection to see what is there.",
		"The record, entity, connection, site or path does not exist, or is not yours: the two look the same."},
	{OperationNotSupported, http.StatusMethodNotAllowed, "This system does not support the operation", HopAgent, ScopeOperation, false, 0,
		"See GET /connection/capabilities for what can be done.",
		"The system's definition has no such operation on this entity."},
	{MethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed", HopClient, ScopeOperation, false, 0,
		"Use one of the methods in the Allow header.",
		"The path exists, and has no such method."},
	{Conflict, http.StatusConflict, "Conflict", HopSystem, ScopeRecord, false, 0,
		"Read the record again and decide anew.",
		"The state of the record, or a call with the same Idempotency-Key that is still running, stands in the way."},
	{Duplicate, http.StatusConflict, "Duplicate", HopSystem, ScopeRecord, false, 0,
		"Look for the record that is already there.",
		"A record with the same unique value exists already."},
	{RecordLocked, http.StatusConflict, "Record is locked", HopSystem, ScopeRecord, false, 0,
		"Change the record's state in the system first.",
		"The record's state, or another user of the system, keeps it from being changed."},
	{ConnectionDisconnected, http.StatusGone, "Connection is disconnected", HopRelay, ScopeConnection, false, 0,
		"Reconnect: that makes a new connection with a new token.",
		"The connection was disconnected, which is final."},
	{PreconditionFailed, http.StatusPreconditionFailed, "The record has changed", HopSystem, ScopeRecord, false, 0,
		"Read the record again, apply the change to what it is now, and send the new etag.",
		"`If-Match` names a version that is no longer the current one."},
	{PayloadTooLarge, http.StatusRequestEntityTooLarge, "Payload too large", HopClient, ScopeOperation, false, 0,
		"Send less in one request.",
		"The body, the header or the address of the request is larger than the limit."},
	{UnsupportedMediaType, http.StatusUnsupportedMediaType, "Unsupported media type", HopClient, ScopeOperation, false, 0,
		"Send `Content-Type: application/json`.",
		"The body is not of a type that this path takes."},
	{ValidationFailed, http.StatusUnprocessableEntity, "Validation failed", HopAgent, ScopeRecord, false, 0,
		"Correct the fields listed in `fields`.",
		"A value is of the wrong type, range or form for the entity or for the system. `fields` names each."},
	{FieldRequired, http.StatusUnprocessableEntity, "A required field is missing", HopAgent, ScopeRecord, false, 0,
		"Add the fields listed in `fields`.",
		"The system needs a field that the request does not carry."},
	{FieldNotUpdatable, http.StatusUnprocessableEntity, "A field cannot be written", HopAgent, ScopeRecord, false, 0,
		"Leave out the fields listed in `fields`.",
		"A field of the request is read-only in this system, or by this operation."},
	{BusinessRule, http.StatusUnprocessableEntity, "A business rule forbids this", HopSystem, ScopeRecord, false, 0,
		"Do what the rule asks for first.",
		"A rule of the system, told in its definition or by the system itself, refuses the change."},
	{IdempotencyKeyReused, http.StatusUnprocessableEntity, "Idempotency key reused with another request", HopAgent, ScopeOperation, false, 0,
		"Use a new Idempotency-Key for a new request.",
		"The key was seen before with another method, path or body."},
	{RowLimit, http.StatusUnprocessableEntity, "The plant's row cap was reached", HopPolicy, ScopeOperation, false, 0,
		"Narrow the query with filters, or ask the plant's IT for a higher cap.",
		"The plant's policy caps how many rows one call may read."},
	{CredentialsExpired, http.StatusFailedDependency, "The system refuses the login", HopSystem, ScopeConnection, false, 0,
		"Relink the connection with a login that works.",
		"The user name or password kept for the connection is wrong, expired or locked in the plant's system."},
	{RateLimitExceeded, http.StatusTooManyRequests, "Rate limit exceeded", HopRelay, ScopeConnection, true, time.Second,
		"Wait as Retry-After says.",
		"Gantry's own limit for the token was reached, or the plant's own limit for the connection."},
	{SystemRateLimited, http.StatusTooManyRequests, "The system limits the rate", HopSystem, ScopeConnection, true, 10 * time.Second,
		"Wait as Retry-After says.",
		"The plant's system asks for fewer calls."},
	{Cancelled, 499, "The caller went away", HopClient, ScopeOperation, true, 0,
		"Send the request again, and wait for its answer.",
		"The caller closed its connection before the answer; nobody reads this answer, but the logs count it."},
	{Internal, http.StatusInternalServerError, "Internal error", HopRelay, ScopeOperation, false, 0,
		"Quote the request id to support.",
		"A fault of Gantry's own."},
	{SystemError, http.StatusBadGateway, "The system answered with a fault", HopSystem, ScopeOperation, false, 0,
		"See `source` for what the system said.",
		"The plant's system reported a fault that its definition does not map to a better code."},
	{TunnelLost, http.StatusBadGateway, "The tunnel broke during the call", HopTunnel, ScopeSite, true, time.Second,
		"Send it again; for a write, with the same Idempotency-Key.",
		"The tunnel to the agent broke while the call was under way. A write's outcome is unknown."},
	{AgentOffline, http.StatusServiceUnavailable, "The agent is offline", HopTunnel, ScopeSite, true, 15 * time.Second,
		"Check that the agent's service runs and can reach the relay: `gantry-agent status`.",
		"No session of the connection's agent is up. Nothing was sent."},
	{SystemUnreachable, http.StatusServiceUnavailable, "The system cannot be reached", HopNetwork, ScopeConnection, true, 15 * time.Second,
		"Check that the system runs, and that the agent's host can reach its address.",
		"The agent cannot open a connection to the plant's system, or lost it."},
	{CircuitOpen, http.StatusServiceUnavailable, "The circuit breaker is open", HopAgent, ScopeConnection, true, 30 * time.Second,
		"Wait as Retry-After says; see the connection's status for the cause.",
		"Repeated failures opened the breaker that protects the plant's system. Nothing was sent."},
	{ConnectionPaused, http.StatusServiceUnavailable, "The connection is paused", HopRelay, ScopeConnection, true, 60 * time.Second,
		"Resume the connection with POST /connections/{id}/resume.",
		"The connection was paused on purpose. Nothing was sent."},
	{Overloaded, http.StatusServiceUnavailable, "Too many calls at once", HopRelay, ScopeConnection, true, time.Second,
		"Wait as Retry-After says, and send fewer calls at a time.",
		"Gantry sheds load: the limit of concurrent calls was reached. Nothing was sent."},
	{SystemTimeout, http.StatusGatewayTimeout, "The system did not answer in time", HopSystem, ScopeOperation, true, 5 * time.Second,
		"Narrow the query, or try again later.",
		"The plant's system did not finish within the call's time."},
}

// Specs lists every code in the order of the documentation.
func Specs() []Spec { return slices.Clone(specs) }

// Spec looks the code up; an unknown code is treated as INTERNAL.
func (c Code) Spec() Spec {
	for _, s := range specs {
		if s.Code == c {
			return s
		}
	}
	return Internal.Spec()
}

// Known reports whether the code is one of the contract's.
func (c Code) Known() bool {
	return slices.ContainsFunc(specs, func(s Spec) bool { return s.Code == c })
}

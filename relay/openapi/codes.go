package openapi

import (
	"net/http"
	"slices"

	"gantry/tunnel/fault"
)

// What can go wrong follows from who may call, and how far the call travels.
var (
	everywhere = []fault.Code{fault.InvalidRequest, fault.PayloadTooLarge, fault.Internal}

	withToken = []fault.Code{fault.AuthenticationFailed, fault.TokenRevoked, fault.Forbidden, fault.ConnectionDisconnected,
		fault.RateLimitExceeded, fault.Overloaded}

	onTheWay = []fault.Code{fault.PolicyDenied, fault.NotFound, fault.TunnelLost, fault.AgentOffline, fault.SystemTimeout}

	ofReads = []fault.Code{fault.PermissionDenied, fault.OperationNotSupported, fault.RowLimit, fault.CredentialsExpired,
		fault.SystemRateLimited, fault.SystemError, fault.SystemUnreachable, fault.CircuitOpen, fault.ConnectionPaused}

	ofWrites = []fault.Code{fault.Conflict, fault.Duplicate, fault.RecordLocked, fault.PreconditionFailed, fault.ValidationFailed,
		fault.FieldRequired, fault.FieldNotUpdatable, fault.BusinessRule, fault.IdempotencyKeyReused}
)

// Failures lists the codes with which the operation can fail, in the order of the documentation.
func (o Operation) Failures() []fault.Code {
	codes := slices.Concat(everywhere, o.Codes)
	if o.Caller.Kind != Anyone {
		codes = append(codes, withToken...)
	}
	if o.Body != nil {
		codes = append(codes, fault.UnsupportedMediaType)
	}
	if o.named() {
		codes = append(codes, fault.NotFound)
	}
	codes = append(codes, o.Reach.failures()...)
	return ordered(codes)
}

// named reports whether the request names something that may not be there.
func (o Operation) named() bool {
	return slices.Contains([]byte(o.Path), '{') || o.Caller.Kind == Connection
}

func (r Reach) failures() (codes []fault.Code) {
	if r >= AtAgent {
		codes = append(codes, onTheWay...)
	}
	if r >= Reads {
		codes = append(codes, ofReads...)
	}
	if r >= Writes {
		codes = append(codes, ofWrites...)
	}
	return codes
}

// ordered puts codes into the order of the documentation, each once.
func ordered(codes []fault.Code) (all []fault.Code) {
	for _, spec := range fault.Specs() {
		if slices.Contains(codes, spec.Code) {
			all = append(all, spec.Code)
		}
	}
	return all
}

// ByStatus groups codes by their HTTP status. What nobody reads (a caller that went away) is left out.
func ByStatus(codes []fault.Code) (statuses []int, of map[int][]fault.Code) {
	of = map[int][]fault.Code{}
	for _, code := range codes {
		status := code.Spec().Status
		if http.StatusText(status) == "" {
			continue
		}
		if of[status] == nil {
			statuses = append(statuses, status)
		}
		of[status] = append(of[status], code)
	}
	slices.Sort(statuses)
	return statuses, of
}

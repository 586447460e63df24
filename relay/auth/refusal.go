package auth

import (
	"time"

	"gantry/tunnel/fault"
)

func errUnknown() *fault.Error {
	return fault.New(fault.AuthenticationFailed, "The token is unknown to this relay.")
}

func errExpired() *fault.Error {
	return fault.New(fault.AuthenticationFailed, "The organisation key has expired.").
		Reaches(fault.ScopeOrganisation).Advise("Make a new key with POST /keys, or with `gantry-relay keys create`.")
}

func errKeyRevoked() *fault.Error {
	return fault.New(fault.TokenRevoked, "The organisation key has been revoked.").
		Reaches(fault.ScopeOrganisation).Advise("Use another key of the organisation; an admin makes one with POST /keys.")
}

func errTokenReplaced(connection string) *fault.Error {
	e := fault.New(fault.TokenRevoked, "The connection's token has been replaced.")
	e.ConnectionID = connection
	return e
}

func errDisconnected(connection string) *fault.Error {
	e := fault.New(fault.ConnectionDisconnected, "The connection was disconnected, and its token with it.")
	e.ConnectionID = connection
	return e
}

func errPaused(connection string) *fault.Error {
	e := fault.New(fault.ConnectionPaused, "The connection is paused: it keeps everything and makes no call.")
	e.ConnectionID = connection
	return e
}

func errRelinked(connection string) *fault.Error {
	e := fault.New(fault.Conflict, "The connection got a new login during the call.").At(fault.HopRelay).Reaches(fault.ScopeConnection).
		After(time.Second).Advise("Send the call again: it is made with the new login.")
	e.ConnectionID = connection
	return e
}

func errNoConnection() *fault.Error {
	return fault.New(fault.NotFound, "There is no such connection.").Reaches(fault.ScopeConnection).
		Advise("Check the id; GET /connections lists the organisation's connections.")
}

func errStore(cause error) *fault.Error {
	return fault.New(fault.Internal, "The relay could not look the token up.").Reaches(fault.ScopeOrganisation).Because(cause)
}

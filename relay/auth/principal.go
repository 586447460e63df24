package auth

import (
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Principal is whoever a request comes from. It holds from Authenticate to Release.
type Principal struct {
	Kind           Kind
	TokenID        string // key_… or tok_…: for limits and the audit, never the token itself
	OrganisationID string
	Name           string            // of an organisation key
	Role           store.Role        // of an organisation key
	Connection     *store.Connection // of a connection token, or named by Narrow; nil: none

	release []func()
}

// OperatorOf is whoever owns the relay, asking for an organisation without a key of it.
func OperatorOf(organisation string) *Principal {
	return &Principal{OrganisationID: organisation, Name: "gantry-relay", Role: store.Operator}
}

// Release ends the principal's hold; its contexts end with it.
func (p *Principal) Release() {
	for _, release := range p.release {
		release()
	}
	p.release = nil
}

// Permission is a kind of thing that a request does.
type Permission string

// The permissions.
const (
	View      Permission = "view"       // see sites, connections, systems, credits
	Diagnose  Permission = "diagnose"   // run checks, fetch logs and bundles
	Manage    Permission = "manage"     // change sites, agents, connections and keys
	ReadData  Permission = "read_data"  // read a connection's entities
	WriteData Permission = "write_data" // write a connection's entities
)

// Allows reports whether the principal may do what the permission names.
func (p *Principal) Allows(permission Permission) bool {
	if p.Kind == ConnectionToken {
		return permission == ReadData || permission == WriteData
	}
	switch p.Role {
	case store.Admin:
		return true
	case store.Operator:
		return permission == View || permission == Diagnose || permission == Manage
	case store.Support:
		return permission == View || permission == Diagnose || permission == ReadData
	case store.Read:
		return permission == View || permission == ReadData
	}
	return false
}

// Require gives FORBIDDEN, a *fault.Error, unless the principal may do what the permission names.
func (p *Principal) Require(permission Permission) error {
	switch {
	case p.Allows(permission):
		return nil
	case p.Kind == ConnectionToken:
		return fault.New(fault.Forbidden, "A connection token reaches the data of its connection only.").
			Advise("Use an organisation key (gok_…).")
	case p.Role == store.Operator:
		return fault.New(fault.Forbidden, "Whoever owns the relay reads and writes no plant's data.").
			Advise("Use the connection's own token, or a key of its organisation.")
	case permission == Diagnose:
		return forbidden(p.Role, "run a diagnosis").Advise("Use a key with the role support or admin.")
	case permission == WriteData:
		return forbidden(p.Role, "write data").Advise("Use a key with the role admin, or the connection's own token.")
	}
	return forbidden(p.Role, "change the organisation").Advise("Use a key with the role admin.")
}

func forbidden(role store.Role, what string) *fault.Error {
	return fault.New(fault.Forbidden, "A key with the role %s may not %s.", role, what).Reaches(fault.ScopeOrganisation)
}

package store

import (
	"encoding/json"
	"time"
)

// Hash is the SHA-256 of a token's text, of an enrolment's secret, or of an agent's public key (its SPKI in DER).
type Hash [32]byte

// Organisation is the owner of everything below it.
type Organisation struct {
	ID        string
	Name      string
	Credits   int // in its pool, used or not
	CreatedAt time.Time
}

// Credits is the state of an organisation's pool.
type Credits struct {
	Total int
	Used  int // by the connections that are not disconnected
}

// Available gives what is left; a pool that was made smaller has nothing left, never less.
func (c Credits) Available() int { return max(c.Total-c.Used, 0) }

// Role says what an organisation key may do.
type Role string

// The roles.
const (
	Admin   Role = "admin"
	Support Role = "support" // reads and diagnoses
	Read    Role = "read"
)

// Operator is the role of whoever owns the relay. No key has it.
const Operator Role = "operator"

// Enroller is the role of whoever enrols an agent with a one-time token. No key has it.
const Enroller Role = "enrolment"

// Roles lists the roles of keys.
func Roles() []Role { return []Role{Admin, Support, Read} }

// NewKey is an organisation key that is to be made.
type NewKey struct {
	OrganisationID string
	Name           string
	Role           Role
	Hash           Hash
	ExpiresAt      time.Time
}

// Key is an organisation key.
type Key struct {
	ID             string
	OrganisationID string
	Name           string
	Role           Role
	CreatedAt      time.Time
	ExpiresAt      time.Time
	RevokedAt      time.Time
	SignOuts       int // how often all sign-ins with it were ended
}

// Site is one plant network.
type Site struct {
	ID             string
	OrganisationID string
	Name           string
	CreatedAt      time.Time
}

// Ended are the ids of what ended with a site.
type Ended struct {
	Agents      []string
	Connections []string
}

// Enrolment is a one-time permission to add an agent to a site.
type Enrolment struct {
	ID             string
	OrganisationID string
	SiteID         string
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// NewAgent is an agent that enrols. The caller makes its id (NewID), since its certificate names it.
type NewAgent struct {
	ID                   string
	MachineID            string
	Key                  Hash
	Facts                json.RawMessage // wire.Facts; nil: none
	CertificateExpiresAt time.Time
}

// Agent is one installed service at a site.
type Agent struct {
	ID                   string
	OrganisationID       string
	SiteID               string
	MachineID            string // to tell a clone by
	Key                  Hash   // of its public key, the same for life
	Facts                json.RawMessage
	CertificateExpiresAt time.Time
	EnrolledAt           time.Time
	LastSeenAt           time.Time
	RevokedAt            time.Time
}

// Catalogue is what an agent published last.
type Catalogue struct {
	AgentID   string
	Data      json.RawMessage // wire.Catalogue
	UpdatedAt time.Time
}

// State is where a connection's life stands.
type State string

// The states.
const (
	Pending      State = "pending"
	Active       State = "active"
	Paused       State = "paused" // keeps everything, and makes no call
	Disconnected State = "disconnected"
)

// NewConnection is a connection whose first login is about to run.
type NewConnection struct {
	OrganisationID string
	SiteID         string
	AgentID        string
	System         string
	SystemName     string // the product, for people
	Name           string
	Tier           int             // credits that it uses
	Metadata       json.RawMessage // the caller's own; nil: none
}

// Connection is one login to one system at one site, held by one agent.
type Connection struct {
	ID             string
	OrganisationID string
	SiteID         string
	SiteName       string
	AgentID        string
	System         string
	SystemName     string
	Name           string
	Tier           int
	Settings       json.RawMessage // the login's public part; nil: none, or pending
	Metadata       json.RawMessage
	State          State
	CreatedAt      time.Time
	ActivatedAt    time.Time
	PausedAt       time.Time // of a paused one
	DisconnectedAt time.Time
}

// Live reports whether the connection's token is good: it is active or paused.
func (c Connection) Live() bool { return c.State == Active || c.State == Paused }

// NewLogin is what a connection has after a new login.
type NewLogin struct {
	AgentID  string          // who holds it: another one where the former was revoked
	Settings json.RawMessage // nil: none
}

// ConnectionFilter narrows a list; empty members do not.
type ConnectionFilter struct {
	SiteID string
	System string
	State  State
}

// Token is a connection's token.
type Token struct {
	ID         string
	RevokedAt  time.Time
	Connection Connection
}

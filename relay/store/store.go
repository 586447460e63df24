package store

import (
	"context"
	"encoding/json"
	"time"
)

// Store is everything that the relay remembers. It is safe for concurrent use.
type Store interface {
	Organisations
	Keys
	Sites
	Enrolments
	Agents
	Connections
	Audit
	Events
	Conditions
	Webhooks
	Deliveries
	Outbox
	Secrets

	// Ping proves that the store can be read.
	Ping(ctx context.Context) error
	// Close ends it; calls that are under way finish first.
	Close() error
}

// Page is a part of a list that is ordered by id: what follows After, at most Limit rows. A Limit of 0 is MaxPage.
type Page struct {
	After string
	Limit int
}

// MaxPage is the most rows that one call gives.
const MaxPage = 1000

// Size gives the number of rows to read.
func (p Page) Size() int {
	if p.Limit <= 0 || p.Limit > MaxPage {
		return MaxPage
	}
	return p.Limit
}

// Organisations own everything else.
type Organisations interface {
	CreateOrganisation(ctx context.Context, name string, credits int) (Organisation, error)
	Organisation(ctx context.Context, id string) (Organisation, error)
	Organisations(ctx context.Context, page Page) ([]Organisation, error)
	// SetCredits makes the organisation's pool larger or smaller. Connections that the smaller one could not pay stay.
	SetCredits(ctx context.Context, id string, credits int) (Organisation, error)
	// Credits tells what the organisation's connections that are not disconnected use of its pool.
	Credits(ctx context.Context, organisation string) (Credits, error)
}

// Keys are the organisations' own tokens (gok_).
type Keys interface {
	CreateKey(ctx context.Context, key NewKey) (Key, error)
	Keys(ctx context.Context, organisation string, page Page) ([]Key, error)
	// KeyByHash finds a key by its token's hash, whether it is still good or not.
	KeyByHash(ctx context.Context, hash Hash) (Key, error)
	// Key finds a key, revoked or not.
	Key(ctx context.Context, organisation, id string) (Key, error)
	// SignOut counts one more end of all sign-ins with a key.
	SignOut(ctx context.Context, organisation, id string) (Key, error)
	// RevokeKey ends a key for ever. Revoking it again changes nothing.
	RevokeKey(ctx context.Context, organisation, id string) (Key, error)
}

// Sites are the plants' networks.
type Sites interface {
	CreateSite(ctx context.Context, organisation, name string) (Site, error)
	Site(ctx context.Context, organisation, id string) (Site, error)
	Sites(ctx context.Context, organisation string, page Page) ([]Site, error)
	// DeleteSite takes the site out of every list, revokes its agents, ends its enrolments and disconnects its
	// connections, and tells which agents and connections ended.
	DeleteSite(ctx context.Context, organisation, id string, note Note) (Ended, error)
}

// Enrolments are the one-time permissions to add an agent to a site.
type Enrolments interface {
	CreateEnrolment(ctx context.Context, organisation, site string, hash Hash, expires time.Time) (Enrolment, error)
	// Enrolment finds what a token's hash permits. Its refusals are those of Enrol.
	Enrolment(ctx context.Context, hash Hash) (Enrolment, error)
	// Enrol consumes the token and keeps the agent, in one transaction: of two callers with one token exactly one
	// succeeds. The organisation's audit has it. It refuses with ErrTokenUnknown, ErrTokenUsed, ErrTokenExpired or ErrSiteDeleted.
	Enrol(ctx context.Context, hash Hash, agent NewAgent) (Agent, error)
}

// Agents are the installed services at the sites.
type Agents interface {
	// Agent finds an agent by its id alone, revoked or not: a certificate names nothing else.
	Agent(ctx context.Context, id string) (Agent, error)
	// Agents lists those of sites that are not revoked, by id; up to MaxPage for each of the sites.
	Agents(ctx context.Context, organisation string, sites ...string) ([]Agent, error)
	// RevokeAgent shuts an agent out for ever. Its connections stay, without an agent, until they are disconnected.
	RevokeAgent(ctx context.Context, organisation, site, id string) (Agent, error)
	// RenewAgent notes a new certificate. ErrWrongKey: the key is not the one that enrolled; ErrRevoked.
	RenewAgent(ctx context.Context, id string, key Hash, expires time.Time) error
	// SeenAgent notes when an agent was last seen, and what it told of itself; nil facts leave the last ones.
	SeenAgent(ctx context.Context, id string, at time.Time, facts []byte) error
	// SaveCatalogue keeps what an agent published (JSON of wire.Catalogue), so that it is known while it is offline.
	SaveCatalogue(ctx context.Context, agent string, catalogue []byte) error
	// Catalogues gives the published catalogues of a site's agents, the latest first.
	Catalogues(ctx context.Context, organisation, site string) ([]Catalogue, error)
}

// Connections are logins to systems. A connection is pending while its first login runs, then active, or paused and active
// again, and at the end disconnected, which is terminal. Each change of that life, a new token among them, is an event,
// which its note tells of and which is appended in the change's own transaction; what changes nothing is none.
type Connections interface {
	// ReserveConnection adds a pending connection and takes its tier from the organisation's credits, or refuses with
	// ErrNoCredits. ErrNotFound: no such site or, at the site, no such unrevoked agent.
	ReserveConnection(ctx context.Context, connection NewConnection) (Connection, error)
	// ActivateConnection makes a pending connection active, with the hash of its first token and the settings that
	// the login was made with; nil: none.
	ActivateConnection(ctx context.Context, id string, token Hash, settings json.RawMessage, note Note) (Connection, error)
	// DropConnection removes a pending connection and gives its credits back. One that is not pending stays: ErrState.
	DropConnection(ctx context.Context, id string) error
	// DropPending removes what a relay that stopped left pending, and tells how many there were. Call it at the start.
	DropPending(ctx context.Context) (int, error)
	Connection(ctx context.Context, organisation, id string) (Connection, error)
	Connections(ctx context.Context, organisation string, filter ConnectionFilter, page Page) ([]Connection, error)
	// AllConnections lists every connection of an organisation, by id. The list is shared: nobody changes it.
	AllConnections(ctx context.Context, organisation string) ([]Connection, error)
	// PauseConnection makes an active connection paused, and ResumeConnection a paused one active. Doing it again changes
	// nothing. ErrState: it is pending or disconnected.
	PauseConnection(ctx context.Context, organisation, id string, note Note) (Connection, error)
	ResumeConnection(ctx context.Context, organisation, id string, note Note) (Connection, error)
	// RelinkConnection notes the login that an active or paused connection has from now on. ErrState: it is neither.
	// ErrNotFound: no such connection or, at its site, no such unrevoked agent.
	RelinkConnection(ctx context.Context, organisation, id string, login NewLogin, note Note) (Connection, error)
	// AgentConnections lists the connections that an agent should hold: those that are not disconnected.
	AgentConnections(ctx context.Context, agent string) ([]Connection, error)
	// TokenByHash finds a connection token, replaced or not, with its connection.
	TokenByHash(ctx context.Context, hash Hash) (Token, error)
	// ReplaceToken gives an active or paused connection a new token; the one before is revoked. ErrState: it is neither.
	ReplaceToken(ctx context.Context, organisation, id string, token Hash, note Note) (Connection, error)
	// Disconnect ends a connection, revokes its token and gives its credits back. Doing it again changes nothing.
	Disconnect(ctx context.Context, organisation, id string, note Note) (Connection, error)
}

// Secrets are the relay's own, made once and then kept.
type Secrets interface {
	// Authority gives the certificate authority's certificate and key (PEM), made by fresh if there is none yet.
	Authority(ctx context.Context, fresh func() (certificate, key []byte, err error)) (certificate, key []byte, err error)
	// Secret gives the secret of a name (a key that signs cursors), made by fresh if there is none yet.
	Secret(ctx context.Context, name string, fresh func() ([]byte, error)) ([]byte, error)
}

package auth

import (
	"context"

	"gantry/relay/store"
)

// Call is what a request needs before it goes to the plant: the principal's connection as it is now, and a context that
// also ends, with a *fault.Error as its cause, when the connection is paused or gets another login. The error is
// CONNECTION_PAUSED, CONNECTION_DISCONNECTED or NOT_FOUND.
func (a *Authenticator) Call(ctx context.Context, p *Principal) (context.Context, error) {
	held, err := a.holdCall(ctx, p.OrganisationID, p.Connection.ID)
	if err != nil {
		return ctx, err
	}
	p.Connection = held.connection
	return a.bind(ctx, p, held), nil
}

// Hold is Call for the relay's own work on a connection: the context ends when the connection is paused, gets another login
// or is disconnected. Whoever calls it calls release.
func (a *Authenticator) Hold(ctx context.Context, organisation, id string) (held context.Context, connection store.Connection, release func(), err error) {
	p := &Principal{OrganisationID: organisation, Connection: &store.Connection{ID: id}}
	held, err = a.Call(ctx, p)
	return held, *p.Connection, p.Release, err
}

func (a *Authenticator) holdCall(ctx context.Context, organisation, id string) (*entry, error) {
	return a.cache.hold(organisation+"/"+callsOf(id), func() (entry, error) {
		e, err := a.findConnection(ctx, organisation, id)
		if err == nil && e.connection.State == store.Paused {
			return entry{}, errPaused(id)
		}
		e.subjects = []string{id, callsOf(id)}
		return e, err
	})
}

// callsOf names the calls of a connection as a subject of their own: a pause ends them, and not what its token reads at the
// relay.
func callsOf(connection string) string { return connection + "/calls" }

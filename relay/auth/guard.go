package auth

import (
	"context"

	"gantry/relay/store"
)

// Store gives the store with the writes that end a principal taking effect at once. The relay writes through it and
// through nothing else.
func (a *Authenticator) Store() store.Store { return guard{a.store, a} }

// guard tells the authenticator of revocations, after they are committed.
type guard struct {
	store.Store
	authenticator *Authenticator
}

// RevokeKey implements store.Keys.
func (g guard) RevokeKey(ctx context.Context, organisation, id string) (store.Key, error) {
	key, err := g.Store.RevokeKey(ctx, organisation, id)
	if err == nil {
		g.authenticator.cache.end(errKeyRevoked(), id)
	}
	return key, err
}

// ReplaceToken implements store.Connections.
func (g guard) ReplaceToken(ctx context.Context, organisation, id string, token store.Hash, note store.Note) (store.Connection, error) {
	connection, err := g.Store.ReplaceToken(ctx, organisation, id, token, note)
	if err == nil {
		g.authenticator.cache.end(errTokenReplaced(id), tokenOf(id))
	}
	return connection, err
}

// PauseConnection implements store.Connections.
func (g guard) PauseConnection(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	connection, err := g.Store.PauseConnection(ctx, organisation, id, note)
	if err == nil {
		g.authenticator.cache.end(errPaused(id), callsOf(id))
	}
	return connection, err
}

// RelinkConnection implements store.Connections.
func (g guard) RelinkConnection(ctx context.Context, organisation, id string, login store.NewLogin, note store.Note) (store.Connection, error) {
	connection, err := g.Store.RelinkConnection(ctx, organisation, id, login, note)
	if err == nil {
		g.authenticator.cache.end(errRelinked(id), callsOf(id))
	}
	return connection, err
}

// Disconnect implements store.Connections.
func (g guard) Disconnect(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	connection, err := g.Store.Disconnect(ctx, organisation, id, note)
	if err == nil {
		g.authenticator.cache.end(errDisconnected(id), id)
	}
	return connection, err
}

// DeleteSite implements store.Sites.
func (g guard) DeleteSite(ctx context.Context, organisation, id string, note store.Note) (store.Ended, error) {
	ended, err := g.Store.DeleteSite(ctx, organisation, id, note)
	if err != nil {
		return ended, err
	}
	for _, connection := range ended.Connections {
		g.authenticator.cache.end(errDisconnected(connection), connection)
	}
	return ended, nil
}

// tokenOf names a connection's token as a subject of its own: replacing it ends those who hold the token, and not the
// calls that an organisation key makes on the connection.
func tokenOf(connection string) string { return connection + "/token" }

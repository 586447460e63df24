package status

import (
	"context"
	"encoding/json"

	"gantry/relay/store"
)

// Guard gives a store with which changes of a connection's life reach the keeper, after they are committed. The relay
// writes through it.
func (k *Keeper) Guard(s store.Store) store.Store { return guard{s, k} }

type guard struct {
	store.Store
	keeper *Keeper
}

// touched passes on what a change gave.
func (g guard) touched(row store.Connection, err error) (store.Connection, error) {
	if err == nil {
		g.keeper.Touch(row)
	}
	return row, err
}

// ActivateConnection implements store.Connections.
func (g guard) ActivateConnection(ctx context.Context, id string, token store.Hash, settings json.RawMessage, note store.Note) (store.Connection, error) {
	return g.touched(g.Store.ActivateConnection(ctx, id, token, settings, note))
}

// PauseConnection implements store.Connections.
func (g guard) PauseConnection(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	return g.touched(g.Store.PauseConnection(ctx, organisation, id, note))
}

// ResumeConnection implements store.Connections.
func (g guard) ResumeConnection(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	return g.touched(g.Store.ResumeConnection(ctx, organisation, id, note))
}

// RelinkConnection implements store.Connections.
func (g guard) RelinkConnection(ctx context.Context, organisation, id string, login store.NewLogin, note store.Note) (store.Connection, error) {
	return g.touched(g.Store.RelinkConnection(ctx, organisation, id, login, note))
}

// Disconnect implements store.Connections.
func (g guard) Disconnect(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	return g.touched(g.Store.Disconnect(ctx, organisation, id, note))
}

// DeleteSite implements store.Sites.
func (g guard) DeleteSite(ctx context.Context, organisation, id string, note store.Note) (store.Ended, error) {
	ended, err := g.Store.DeleteSite(ctx, organisation, id, note)
	if err != nil {
		return ended, err
	}
	for _, connection := range ended.Connections {
		row, err := g.Store.Connection(ctx, organisation, connection)
		if err != nil {
			g.keeper.logger.WarnContext(ctx, "end of a connection not noticed", "connection_id", connection, "error", err)
			continue
		}
		g.keeper.Touch(row)
	}
	return ended, nil
}

package sqlite

import (
	"context"
	"database/sql"

	"gantry/relay/store"
)

// TokenByHash implements store.Connections.
func (s *Store) TokenByHash(ctx context.Context, hash store.Hash) (store.Token, error) {
	return one(ctx, s.read, scanToken, "SELECT t.id, t.revoked_at, "+connectionColumns+
		" FROM tokens t JOIN connections c ON c.id = t.connection WHERE t.hash = ?", hash[:])
}

func scanToken(r row) (t store.Token, err error) {
	err = r.Scan(append([]any{&t.ID, moment{&t.RevokedAt}}, connectionTargets(&t.Connection)...)...)
	return t, err
}

// ReplaceToken implements store.Connections.
func (s *Store) ReplaceToken(ctx context.Context, organisation, id string, token store.Hash) (store.Connection, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Connection, error) {
		connection, err := findConnection(ctx, tx, id)
		switch {
		case err != nil:
			return store.Connection{}, err
		case connection.OrganisationID != organisation:
			return store.Connection{}, store.ErrNotFound
		case connection.State != store.Active:
			return store.Connection{}, store.ErrState
		}
		if err := revokeTokens(ctx, tx, id, millis(s.clock())); err != nil {
			return store.Connection{}, err
		}
		return connection, s.addToken(ctx, tx, id, token)
	})
}

func (s *Store) addToken(ctx context.Context, tx *sql.Tx, connection string, token store.Hash) error {
	now := s.clock()
	return exec(ctx, tx, "INSERT INTO tokens (id, connection, hash, created_at) VALUES (?, ?, ?, ?)",
		store.NewID(store.TokenID, now), connection, token[:], millis(now))
}

func revokeTokens(ctx context.Context, tx *sql.Tx, connection string, now any) error {
	_, err := tx.ExecContext(ctx, "UPDATE tokens SET revoked_at = ? WHERE connection = ? AND revoked_at IS NULL", now, connection)
	return err
}

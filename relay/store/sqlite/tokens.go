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
func (s *Store) ReplaceToken(ctx context.Context, organisation, id string, token store.Hash, note store.Note) (store.Connection, error) {
	return s.changeLive(ctx, organisation, id, func(ctx context.Context, tx *sql.Tx, was store.Connection) (store.Connection, error) {
		if err := revokeTokens(ctx, tx, id, millis(s.clock())); err != nil {
			return was, err
		}
		if err := s.addToken(ctx, tx, id, token); err != nil {
			return was, err
		}
		return s.changed(ctx, tx, id, store.ConnectionTokenReplaced, note)
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

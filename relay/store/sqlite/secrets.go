package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gantry/relay/store"
)

// authority is the name under which the certificate authority is kept.
const authority = "authority"

// secret is one row of the relay's own secrets.
type secret struct{ value, certificate []byte }

func scanSecret(r row) (s secret, err error) {
	err = r.Scan(&s.value, &s.certificate)
	return s, err
}

// Authority implements store.Secrets.
func (s *Store) Authority(ctx context.Context, fresh func() (certificate, key []byte, err error)) (certificate, key []byte, err error) {
	kept, err := s.keep(ctx, authority, func() (made secret, err error) {
		made.certificate, made.value, err = fresh()
		return made, err
	})
	return kept.certificate, kept.value, err
}

// Secret implements store.Secrets.
func (s *Store) Secret(ctx context.Context, name string, fresh func() ([]byte, error)) ([]byte, error) {
	kept, err := s.keep(ctx, "secret/"+name, func() (made secret, err error) {
		made.value, err = fresh()
		return made, err
	})
	return kept.value, err
}

// keep gives the secret of a name. A fresh one is made before the write, and the first one that is written wins.
func (s *Store) keep(ctx context.Context, name string, fresh func() (secret, error)) (secret, error) {
	const query = "SELECT value, certificate FROM secrets WHERE name = ?"
	kept, err := one(ctx, s.read, scanSecret, query, name)
	if !errors.Is(err, store.ErrNotFound) {
		return kept, err
	}
	made, err := fresh()
	if err != nil {
		return secret{}, err
	}
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (secret, error) {
		_, err := tx.ExecContext(ctx, "INSERT INTO secrets (name, value, certificate, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			name, made.value, made.certificate, millis(s.clock()))
		if err != nil {
			return secret{}, err
		}
		return one(ctx, tx, scanSecret, query, name)
	})
}

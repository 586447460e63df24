package sqlite

import (
	"context"
	"database/sql"

	"gantry/relay/store"
)

const keyColumns = "SELECT id, organisation, name, role, created_at, expires_at, revoked_at, sign_outs FROM keys"

func scanKey(r row) (k store.Key, err error) {
	err = r.Scan(&k.ID, &k.OrganisationID, &k.Name, &k.Role, moment{&k.CreatedAt}, moment{&k.ExpiresAt}, moment{&k.RevokedAt}, &k.SignOuts)
	return k, err
}

// CreateKey implements store.Keys.
func (s *Store) CreateKey(ctx context.Context, key store.NewKey) (store.Key, error) {
	now := s.clock()
	id := store.NewID(store.KeyID, now)
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Key, error) {
		err := exec(ctx, tx, `INSERT INTO keys (id, organisation, name, role, hash, created_at, expires_at)
			SELECT ?, id, ?, ?, ?, ?, ? FROM organisations WHERE id = ?`,
			id, key.Name, string(key.Role), key.Hash[:], millis(now), millis(key.ExpiresAt), key.OrganisationID)
		if err != nil {
			return store.Key{}, err
		}
		return one(ctx, tx, scanKey, keyColumns+" WHERE id = ?", id)
	})
}

// Keys implements store.Keys.
func (s *Store) Keys(ctx context.Context, organisation string, page store.Page) ([]store.Key, error) {
	return list(ctx, s.read, scanKey, keyColumns+" WHERE organisation = ? AND id > ? ORDER BY id LIMIT ?", organisation, page.After, page.Size())
}

// KeyByHash implements store.Keys.
func (s *Store) KeyByHash(ctx context.Context, hash store.Hash) (store.Key, error) {
	return one(ctx, s.read, scanKey, keyColumns+" WHERE hash = ?", hash[:])
}

// Key implements store.Keys.
func (s *Store) Key(ctx context.Context, organisation, id string) (store.Key, error) {
	return one(ctx, s.read, scanKey, keyColumns+" WHERE organisation = ? AND id = ?", organisation, id)
}

// SignOut implements store.Keys.
func (s *Store) SignOut(ctx context.Context, organisation, id string) (store.Key, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Key, error) {
		if err := exec(ctx, tx, "UPDATE keys SET sign_outs = sign_outs + 1 WHERE organisation = ? AND id = ?", organisation, id); err != nil {
			return store.Key{}, err
		}
		return one(ctx, tx, scanKey, keyColumns+" WHERE id = ?", id)
	})
}

// RevokeKey implements store.Keys.
func (s *Store) RevokeKey(ctx context.Context, organisation, id string) (store.Key, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Key, error) {
		err := exec(ctx, tx, "UPDATE keys SET revoked_at = ifnull(revoked_at, ?) WHERE organisation = ? AND id = ?", millis(s.clock()), organisation, id)
		if err != nil {
			return store.Key{}, err
		}
		return one(ctx, tx, scanKey, keyColumns+" WHERE id = ?", id)
	})
}

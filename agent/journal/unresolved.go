package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Why a person cannot resolve a write.
var (
	ErrNoWrite = errors.New("there is no write of this id whose outcome is unknown")
	ErrRunning = errors.New("the write is being tried again at this moment")
)

// maxUnresolved bounds a list of unresolved writes; so many never are.
const maxUnresolved = 10_000

// Unresolved lists the writes whose outcome is unknown, oldest first, at most limit.
func (j *Journal) Unresolved(ctx context.Context, limit int) ([]Entry, error) {
	rows, err := j.db.QueryContext(ctx, "SELECT "+entryColumns+" FROM journal WHERE state = 'unknown' ORDER BY started_at LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("list unresolved writes: %w", err)
	}
	defer rows.Close()
	var all []Entry
	for rows.Next() {
		e, _, err := scanEntry(rows)
		if err != nil {
			return nil, fmt.Errorf("list unresolved writes: %w", err)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// CountUnresolved says how many there are.
func (j *Journal) CountUnresolved(ctx context.Context) (n int, err error) {
	if err := j.db.QueryRowContext(ctx, "SELECT count(*) FROM journal WHERE state = 'unknown'").Scan(&n); err != nil {
		return 0, fmt.Errorf("count unresolved writes: %w", err)
	}
	return n, nil
}

// Resolve notes what a person found out about a write whose outcome is unknown. One that happened is done from now on: its key
// never runs again, and has no answer to replay. One that did not is forgotten: its key may run. It gives the entry as it was.
// The error is ErrNoWrite, ErrRunning or the database's.
func (j *Journal) Resolve(ctx context.Context, id string, happened bool) (Entry, error) {
	all, err := j.Unresolved(ctx, maxUnresolved)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range all {
		if e.ID() == id {
			return e, j.resolve(ctx, e, happened)
		}
	}
	return Entry{}, ErrNoWrite
}

func (j *Journal) resolve(ctx context.Context, e Entry, happened bool) error {
	key := runningKey{e.Connection, e.Key}
	if !j.take(key) {
		return ErrRunning
	}
	defer j.release(key)
	statement, args := "DELETE FROM journal WHERE connection = ? AND key = ? AND state = 'unknown'", []any{e.Connection, e.Key}
	if happened {
		statement = "UPDATE journal SET state = 'done', status = 0, header = '{}', body = NULL, ended_at = ? WHERE connection = ? AND key = ? AND state = 'unknown'"
		args = append([]any{j.now().UnixMilli()}, args...)
	}
	result, err := j.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("resolve write: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNoWrite, err)
	}
	return nil
}

// ID names the entry to people: it is short, and says nothing of the key.
func (e Entry) ID() string {
	sum := sha256.Sum256([]byte(e.Connection + "\x00" + e.Key))
	return "wrt_" + hex.EncodeToString(sum[:6])
}

// OwnKey is the key that the caller sent; empty where it sent none.
func (e Entry) OwnKey() string {
	if strings.HasPrefix(e.Key, AutoKey) {
		return ""
	}
	return e.Key
}

// Subject tells what the write was about, from its path: /{entity}, /{entity}/{id} or /{entity}/{id}/actions/{action}; of a
// request of the system's own, POST /passthrough/{request}, the request is in the place of the record.
func (e Entry) Subject() (entity, operation, record string) {
	parts := strings.Split(strings.TrimPrefix(e.Path, "/"), "/")
	entity, operation = parts[0], map[string]string{http.MethodPost: "create", http.MethodPatch: "update", http.MethodDelete: "delete"}[e.Method]
	if len(parts) > 1 {
		record = parts[1]
		if plain, err := url.PathUnescape(record); err == nil {
			record = plain
		}
	}
	switch {
	case len(parts) == 4:
		operation = parts[3]
	case len(parts) == 2 && e.Method == http.MethodPost:
		entity, operation = "", parts[0]
	}
	return entity, operation, record
}

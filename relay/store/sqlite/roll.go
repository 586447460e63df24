package sqlite

import (
	"sync"

	"gantry/relay/store"
)

// maxRolled bounds how many connections are kept in memory, of all organisations together.
const maxRolled = 200_000

// roll keeps the connections of organisations as they were read last, until any connection changes: a list that is ordered
// by what only memory knows needs all of them, and rows are dear to read. This process alone writes to the file. The zero
// value is ready.
type roll struct {
	mu      sync.Mutex
	version int64 // goes up behind each change, before its caller knows of it
	size    int
	kept    map[string][]store.Connection
}

// changed forgets what was read. Whoever changes a connection calls it after the commit.
func (r *roll) changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version++
	r.kept, r.size = nil, 0
}

// of gives the connections of an organisation, read anew where it must be. What was read while something changed is given
// and not kept.
func (r *roll) of(organisation string, read func() ([]store.Connection, error)) ([]store.Connection, error) {
	r.mu.Lock()
	all, there := r.kept[organisation]
	version := r.version
	r.mu.Unlock()
	if there {
		return all, nil
	}
	all, err := read()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version != version || len(all) > maxRolled {
		return all, nil
	}
	if r.kept == nil || r.size+len(all) > maxRolled {
		r.kept, r.size = map[string][]store.Connection{}, 0
	}
	if _, there := r.kept[organisation]; !there {
		r.kept[organisation] = all
		r.size += len(all)
	}
	return all, nil
}

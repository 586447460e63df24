package hub

import (
	"context"
	"slices"
	"sync"
)

// Directory tells which nodes hold sessions of an agent. What it says is a hint: a wrong one costs a second look, never a
// wrong result. Every implementation passes hubtest.RunDirectory.
type Directory interface {
	// Announce notes that a node holds the agent. Doing it twice changes nothing.
	Announce(ctx context.Context, agentID, node string) error
	// Withdraw notes that a node no longer holds the agent; that it never did is no error.
	Withdraw(ctx context.Context, agentID, node string) error
	// Locate lists the nodes that hold the agent, sorted; none is no error.
	Locate(ctx context.Context, agentID string) ([]string, error)
}

// Memory is the Directory of a relay that is one node. The zero value is ready.
type Memory struct {
	mu     sync.Mutex
	agents map[string][]string
}

var _ Directory = (*Memory)(nil)

// Announce implements Directory.
func (m *Memory) Announce(ctx context.Context, agentID, node string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.agents == nil {
		m.agents = map[string][]string{}
	}
	nodes := m.agents[agentID]
	if at, found := slices.BinarySearch(nodes, node); !found {
		m.agents[agentID] = slices.Insert(nodes, at, node)
	}
	return nil
}

// Withdraw implements Directory.
func (m *Memory) Withdraw(ctx context.Context, agentID, node string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	nodes := slices.DeleteFunc(m.agents[agentID], func(n string) bool { return n == node })
	if len(nodes) == 0 {
		delete(m.agents, agentID)
		return nil
	}
	m.agents[agentID] = nodes
	return nil
}

// Locate implements Directory.
func (m *Memory) Locate(ctx context.Context, agentID string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.agents[agentID]), nil
}

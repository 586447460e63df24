package store

import (
	"context"
	"encoding/json"
	"time"
)

// Conditions are how connections were when that was last written down, so that a relay that starts knows what it knew.
type Conditions interface {
	// SaveConditions writes conditions down; those of connections that are gone are left out.
	SaveConditions(ctx context.Context, conditions ...Condition) error
	// Conditions lists the connections of all organisations that are active or paused, each with its condition.
	Conditions(ctx context.Context, page Page) ([]ConnectionCondition, error)
}

// Condition is how one connection is. What its members mean is package status's to say.
type Condition struct {
	ConnectionID string
	State        string // the last one that was told; empty: none
	Since        time.Time
	Reauth       bool            // a new login was asked for
	Matrix       json.RawMessage // nil: none
}

// ConnectionCondition is a connection with its condition.
type ConnectionCondition struct {
	Connection Connection
	Condition  Condition
}

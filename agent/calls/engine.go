package calls

import (
	"context"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
)

// Engine runs one connection's definition, as calls use it; *engine.Engine is one. Every error is a *fault.Error or a
// context's.
type Engine interface {
	Check(ctx context.Context) (connectors.SystemInfo, error)
	Capabilities() wire.Capabilities
	Discover(ctx context.Context, entity string) (wire.DiscoveredEntity, error)
	List(ctx context.Context, entity string, q engine.Query) (engine.Page, error)
	Stream(ctx context.Context, entity string, q engine.Query, line func([]byte) error) (int, error)
	Get(ctx context.Context, entity, id string, q engine.Query) (engine.Record, error)
	Write(ctx context.Context, w engine.Write) (engine.Result, error)
	Settle(ctx context.Context, w engine.Write) (result engine.Result, settled bool, err error)
	Pass(ctx context.Context, p connectors.Passage) (connectors.Passed, error)
	Close() error
}

var _ Engine = (*engine.Engine)(nil)

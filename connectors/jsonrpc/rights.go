package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// right is what a login needs on a model: read, write, create, delete. A button is a method that people have as one; a system may give
// it to some of them alone.
type right struct{ model, operation, button string }

func (r right) String() string {
	if r.button != "" {
		return r.button + " on " + r.model
	}
	return r.operation + " " + r.model
}

// need is the right that a statement asks for; ok is false for calls that no model guards.
func (s *statement) need() (right, bool) {
	d, ok := s.dialect.(modelled)
	switch {
	case !ok:
		return right{}, false
	case s.model != "":
		return right{model: s.model, operation: "read"}, true
	}
	return d.need(s.method)
}

// Rights implements connectors.Informer.
func (c *conn) Rights(ctx context.Context, statements []connectors.Statement) ([]connectors.Right, error) {
	if err := c.lanes.Enter(ctx, lane.Check, c.limits.Timeout); err != nil {
		return nil, err
	}
	defer c.lanes.Leave(lane.Check)
	return c.rights(ctx, statements)
}

func (c *conn) rights(ctx context.Context, statements []connectors.Statement) ([]connectors.Right, error) {
	var asked []right
	for _, s := range statements {
		own, ok := s.(*statement)
		if !ok {
			return nil, connectors.Misuse("the statement was compiled by another driver: %T", s)
		}
		if need, guarded := own.need(); guarded && !slices.Contains(asked, need) {
			asked = append(asked, need)
		}
	}
	out := make([]connectors.Right, len(statements))
	if len(asked) == 0 {
		return out, nil
	}
	lacking, err := c.dialect.(modelled).lacks(ctx, c, asked)
	if err != nil {
		return nil, err
	}
	for i, s := range statements {
		need, guarded := s.(*statement).need()
		if guarded && lacking[slices.Index(asked, need)] {
			out[i] = connectors.Right{Denied: true, Reason: fmt.Sprintf("no right to %s", need)}
		}
	}
	return out, nil
}

// whetherDenied finds out whether it was a right that a refused call lacked, where the refusal itself does not say.
func (c *conn) whetherDenied(ctx context.Context, s *statement, err error) error {
	f, ok := errors.AsType[*connectors.Failure](err)
	d, models := c.dialect.(modelled)
	if !ok || !models || !d.unclear(f) {
		return err
	}
	rights, asked := c.rights(ctx, []connectors.Statement{s})
	f.Source["denied"] = asked == nil && rights[0].Denied
	return err
}

package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// need is the right that a statement asks for; ok is false for calls that no model guards.
func (s *statement) need() (model, right string, ok bool) {
	if s.method == "" {
		return s.model, "read", true
	}
	name, isModel := strings.CutPrefix(s.method, "model.")
	i := strings.LastIndexByte(name, '.')
	if !isModel || i < 0 {
		return "", "", false
	}
	switch model, name = name[:i], name[i+1:]; name {
	case "create", "delete", "read":
		return model, name, true
	case "search", "search_read":
		return model, "read", true
	}
	return model, "write", true // a button, like write itself
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
	models := []any{}
	seen := map[string]bool{}
	for _, s := range statements {
		own, ok := s.(*statement)
		if !ok {
			return nil, connectors.Misuse("the statement was compiled by another driver: %T", s)
		}
		if model, _, guarded := own.need(); guarded && !seen[model] {
			seen[model] = true
			models = append(models, model)
		}
	}
	answer, err := c.call(ctx, invocation{method: "model.ir.model.access.get_access", params: []any{models}})
	if err != nil {
		return nil, err
	}
	access, _ := answer.(map[string]any)
	out := make([]connectors.Right, len(statements))
	for i, s := range statements {
		model, right, guarded := s.(*statement).need()
		if rights, told := access[model].(map[string]any); guarded && told && !granted(rights[right]) {
			out[i] = connectors.Right{Denied: true, Reason: fmt.Sprintf("no right to %s %s", right, model)}
		}
	}
	return out, nil
}

// granted reads a right: databases give true, 1, or nothing where no rule is about it.
func granted(v any) bool {
	d, err := decode(v)
	return err == nil && (d == true || d == int64(1) || d == nil)
}

// whetherDenied finds out whether it was a right that a refused call lacked. The refusal itself says so in the user's
// language only.
func (c *conn) whetherDenied(ctx context.Context, s *statement, err error) error {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok || f.Source["error"] != "UserError" {
		return err
	}
	rights, asked := c.rights(ctx, []connectors.Statement{s})
	f.Source["denied"] = asked == nil && rights[0].Denied
	return err
}

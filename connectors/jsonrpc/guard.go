package jsonrpc

import (
	"errors"
	"fmt"

	"gantry/connectors/template"
)

// guard is the system's optimistic lock, for those that have one: a call goes through only while a record is what it was.
type guard struct {
	model     string
	id, since template.Value
}

func (s *statement) compileGuard(v any) error {
	if v == nil {
		return nil
	}
	m, _ := v.(map[string]any)
	g := &guard{}
	g.model, _ = m["model"].(string)
	if len(m) != 3 || !modelName.MatchString(g.model) || m["id"] == nil || m["since"] == nil {
		return errors.New("unchanged: has model, id and since")
	}
	var err error
	if g.id, err = s.names.Compile(m["id"]); err != nil {
		return fmt.Errorf("unchanged: id: %w", err)
	}
	if g.since, err = s.names.Compile(m["since"]); err != nil {
		return fmt.Errorf("unchanged: since: %w", err)
	}
	s.guard = g
	return nil
}

// render puts the version that the record must still have into the call's context.
func (g *guard) render(r *template.Rendering, call *invocation) error {
	if g == nil {
		return nil
	}
	id, err := g.id.Render(r)
	if err != nil {
		return err
	}
	since, err := g.since.Render(r)
	if err != nil || since == nil {
		return err
	}
	call.context = over(call.context, map[string]any{"_timestamp": map[string]any{fmt.Sprintf("%s,%v", g.model, id): since}})
	return nil
}

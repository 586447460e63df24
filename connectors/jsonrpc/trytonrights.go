package jsonrpc

import (
	"context"
	"slices"
)

// lacks asks for all models at once, and for the groups that their buttons are given to. A button that is given to groups is theirs, whatever
// they may write; any other is whose who may write the model.
func (d tryton) lacks(ctx context.Context, c *conn, rights []right) ([]bool, error) {
	models := []any{}
	for _, r := range rights {
		models = append(models, r.model)
	}
	answer, err := c.call(ctx, invocation{method: "model.ir.model.access.get_access", params: []any{models}})
	if err != nil {
		return nil, err
	}
	access, _ := answer.(map[string]any)
	granted, err := d.buttons(ctx, c, rights)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(rights))
	for i, r := range rights {
		said, told := access[r.model].(map[string]any)
		out[i] = told && !d.granted(said[r.operation])
		if mine, given := granted[r]; given {
			out[i] = !mine
		}
	}
	return out, nil
}

// buttons tells of each button that is given to groups whether the user is in one of them.
func (d tryton) buttons(ctx context.Context, c *conn, rights []right) (map[right]bool, error) {
	models, names := []any{}, []any{}
	for _, r := range rights {
		if r.button != "" {
			models, names = append(models, r.model), append(names, r.button)
		}
	}
	out := map[right]bool{}
	if len(names) == 0 {
		return out, nil
	}
	domain := []any{[]any{"model.model", "in", models}, []any{"name", "in", names}}
	answer, err := c.call(ctx, d.page("ir.model.button", domain, nil, []key{{path: defaultOrder}}, []string{"name", "model.model", "groups"}, maxPage))
	if err != nil {
		return nil, err
	}
	var own []any
	if login, held := c.session.Held(); held {
		own, _ = login.context["groups"].([]any)
	}
	records, _ := answer.([]any)
	for _, record := range records {
		fields, _ := record.(map[string]any)
		model, _ := d.field(fields, "model.model").(string)
		button, _ := fields["name"].(string)
		groups, _ := fields["groups"].([]any)
		if len(groups) > 0 {
			out[right{model, "write", button}] = slices.ContainsFunc(groups, func(group any) bool { return slices.Contains(own, group) })
		}
	}
	return out, nil
}

// granted reads a right: databases give true, 1, or nothing where no rule is about it.
func (d tryton) granted(v any) bool {
	v, err := d.decode(v, "")
	return err == nil && (v == true || v == int64(1) || v == nil)
}

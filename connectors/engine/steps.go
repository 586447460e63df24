package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// planned is a statement of a dry run.
type planned struct {
	step   string
	params []string
	vars   connectors.Vars
}

// bind gives every parameter that statements may name its value from the input; what the input lacks is null.
func (j *job) bind() {
	bindNull(j.vars, j.t.columns)
	bindNull(j.vars, j.t.custom)
	bindNull(j.vars, j.t.inputs[j.p.Name])
	for i, column := range j.t.Key {
		j.vars[column.Name] = nil
		if j.key != nil {
			j.vars[column.Name] = j.key[i]
		}
	}
	j.vars["idempotency_key"] = nil
	if j.w.IdempotencyKey != "" {
		j.vars["idempotency_key"] = j.w.IdempotencyKey
	}
	j.bindLists()
	j.overlay()
}

// bindLists gives the lists to the statements that take them whole; one that the input does not have is null.
func (j *job) bindLists() {
	for _, columns := range [][]*column{j.t.columns, j.t.inputs[j.p.Name]} {
		for _, c := range columns {
			if c.Type == entity.List {
				j.vars[c.Name] = nil
			}
		}
	}
	for name, members := range j.in.lists {
		whole := make([]connectors.Vars, len(members))
		for i, member := range members {
			whole[i] = connectors.Vars{"index": int64(i + 1)}
			bindNull(whole[i], j.listColumns(name))
			maps.Copy(whole[i], member)
		}
		j.vars[name] = whole
	}
}

// overlay puts the input over what stands there.
func (j *job) overlay() {
	keys := map[string]any{}
	if j.key != nil { // an input of the same name never moves the write to another record
		for i, column := range j.t.Key {
			keys[column.Name] = j.key[i]
		}
	}
	maps.Copy(j.vars, j.in.vars)
	maps.Copy(j.vars, keys)
}

func bindNull(vars connectors.Vars, columns []*column) {
	for _, c := range columns {
		switch c.Type {
		case entity.Object:
			bindNull(vars, c.members)
		case entity.List:
		default:
			vars[c.param] = nil
		}
	}
}

// bindCurrent binds the record's present values, and the input over them.
func (j *job) bindCurrent() {
	j.bindRow(j.t.columns)
	j.bindRow(j.t.custom)
	if v := j.t.Version; v != nil {
		j.vars[v.Name] = j.row[v.Name]
	}
	j.overlay()
}

func (j *job) bindRow(columns []*column) {
	for _, c := range columns {
		switch {
		case c.Type == entity.Object:
			j.bindRow(c.members)
		case c.Type != entity.List && c.From != "":
			j.vars[c.param] = j.row[c.From]
		}
	}
}

// change runs the steps.
func (j *job) change(ctx context.Context) error {
	for i, call := range j.p.Steps {
		name := call.ID
		if name == "" {
			name = fmt.Sprintf("step %d", i+1)
		}
		if call.When != nil {
			run, err := call.When.Holds(ctx, j.scope())
			if err != nil {
				return internal(fmt.Errorf("%s: when: %w", name, err))
			}
			if !run {
				continue
			}
		}
		if err := j.step(ctx, name, call); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) step(ctx context.Context, name string, call *definition.Call) error {
	if call.ForEach == "" {
		return j.exec(ctx, name, call, j.vars, j.scope())
	}
	items, _ := j.body[call.ForEach].([]any)
	for i, member := range j.in.lists[call.ForEach] {
		vars := maps.Clone(j.vars)
		bindNull(vars, j.listColumns(call.ForEach))
		maps.Copy(vars, member)
		vars["index"] = int64(i + 1)
		scope := j.scope()
		scope["row"] = items[i]
		if err := j.exec(ctx, fmt.Sprintf("%s, %s[%d]", name, call.ForEach, i), call, vars, scope); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) listColumns(list string) []*column {
	columns := j.t.columns
	if inputs := j.t.inputs[j.p.Name]; findColumn(inputs, list) != nil {
		columns = inputs
	}
	return findColumn(columns, list).members
}

// exec runs one statement; the columns that it returns are parameters of the steps after it.
func (j *job) exec(ctx context.Context, name string, call *definition.Call, vars connectors.Vars, scope definition.Scope) error {
	vars["now"] = j.now(call.Step.Now)
	if len(call.Vars) > 0 {
		vars = maps.Clone(vars)
		if err := j.computeIn(ctx, scope, call.Vars, vars); err != nil {
			return err
		}
	}
	if call.Reads {
		return j.lookUp(ctx, call, vars)
	}
	if j.w.DryRun {
		j.planned = append(j.planned, planned{name, call.Statement.Params(), maps.Clone(vars)})
		return nil
	}
	effect, err := j.tx.Exec(ctx, call.Statement, vars)
	if err != nil {
		return err
	}
	j.changed = true
	if err := j.expected(ctx, name, call, effect); err != nil {
		return err
	}
	if call.ForEach == "" {
		maps.Copy(j.vars, effect.Row)
	}
	if call.Affects != nil && effect.Affected >= 0 && effect.Affected != *call.Affects {
		return j.explain(ctx, name, *call.Affects, effect.Affected)
	}
	return nil
}

// lookUp runs a step that changes nothing, in a dry run too; what it does not find is null.
func (j *job) lookUp(ctx context.Context, call *definition.Call, vars connectors.Vars) error {
	rows, err := collect(j.tx.Read(ctx, connectors.Read{Statement: call.Statement, Vars: vars, Limit: 1}))
	if err != nil {
		return err
	}
	for _, column := range call.Returns {
		j.vars[column] = nil
	}
	if len(rows) > 0 {
		maps.Copy(j.vars, rows[0])
	}
	return nil
}

// now is the caller's clock in the form that the statement wants.
func (j *job) now(native definition.Native) any {
	if native == "" {
		native = definition.NativeDatetime
	}
	c := column{Member: &definition.Member{Field: &definition.Field{Type: entity.Datetime, Native: native}}, zone: j.t.zone(), layout: "2006-01-02 15:04:05"}
	if native == definition.NativeTextDate {
		c.layout = "2006-01-02"
	}
	return c.nativeTime(j.w.Now)
}

func (j *job) compute(ctx context.Context, bindings []definition.Binding, into connectors.Vars) error {
	return j.computeIn(ctx, j.scope(), bindings, into)
}

func (j *job) computeIn(ctx context.Context, scope definition.Scope, bindings []definition.Binding, into connectors.Vars) error {
	for _, b := range bindings {
		v, err := b.Value.Value(ctx, scope)
		if err != nil {
			return internal(fmt.Errorf("compute %s: %w", b.Name, err))
		}
		into[b.Name] = v
	}
	return nil
}

// explain finds out why a statement did not affect what it should: the record went, changed, or is locked by its state.
func (j *job) explain(ctx context.Context, name string, want, got int64) error {
	if j.key == nil || got != 0 {
		return fault.New(fault.SystemError, "The %s affected %d records of the system, not %d.", name, got, want)
	}
	row, err := j.e.find(ctx, j.tx, j.t, j.key)
	switch {
	case err != nil:
		return err
	case row == nil:
		return notFound(j.t, j.w.ID)
	case j.t.Version != nil && text(row[j.t.Version.Name]) != text(j.row[j.t.Version.Name]):
		return fault.New(fault.PreconditionFailed, "The record was changed by someone else during the write.")
	}
	return fault.New(fault.RecordLocked, "The system did not change the record: its state does not allow it.")
}

// newKey finds the key of what a create made: returned by a step, sent as a field, or found by the idempotency key.
func (j *job) newKey(ctx context.Context) error {
	j.key = make([]any, len(j.t.Key))
	for i, column := range j.t.Key {
		j.key[i] = j.vars[column.Name]
		if j.key[i] == nil {
			j.key[i] = j.sent(column.Name)
		}
	}
	if !slices.Contains(j.key, nil) {
		return nil
	}
	if j.p.Find != nil && j.w.IdempotencyKey != "" {
		key, err := j.foundKey(ctx, j.tx)
		if err != nil || key != nil {
			j.key = key
			return err
		}
	}
	return internal(errors.New("no step returned the key of the new record"))
}

// sent is the value of the input's field that is written to a column.
func (j *job) sent(name string) any {
	for _, c := range j.t.columns {
		if c.From == name && c.Type != entity.List {
			return j.in.vars[c.param]
		}
	}
	return nil
}

// plan is the answer of a dry run: every check was made, and nothing was sent that changes anything.
func (j *job) plan() (Result, error) {
	type statement struct {
		Step   string                     `json:"step"`
		Params map[string]json.RawMessage `json:"params"`
	}
	doc := struct {
		DryRun    bool        `json:"dry_run"`
		Operation string      `json:"operation"`
		WouldSend []statement `json:"would_send"`
	}{true, j.w.Operation, []statement{}}
	for _, p := range j.planned {
		s := statement{p.step, map[string]json.RawMessage{}}
		for _, name := range p.params {
			s.Params[name] = appendNative(nil, p.vars[name])
		}
		doc.WouldSend = append(doc.WouldSend, s)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return Result{}, j.at.in(internal(err)).Ended(fault.NotSent)
	}
	return Result{Status: http.StatusOK, Record: Record{JSON: raw}}, nil
}

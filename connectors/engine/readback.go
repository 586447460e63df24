package engine

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// expected asks whether a step's answer looks like a success.
func (j *job) expected(ctx context.Context, name string, call *definition.Call, effect connectors.Effect) error {
	if call.Expect == nil {
		return nil
	}
	scope := j.scope()
	scope["result"] = map[string]any(effect.Row)
	if holds, err := call.Expect.Holds(ctx, scope); err == nil && holds {
		return nil
	}
	return fault.New(fault.SystemError, "The system's answer to the %s does not look like a success.", name).
		Advise("Look into the system before you send it again: it may have happened.")
}

// gone makes sure that what was deleted is no longer there.
func (j *job) gone(ctx context.Context, mode string) error {
	if mode != "hard" || !j.p.ReadsBack() {
		return nil
	}
	row, err := j.e.find(ctx, j.tx, j.t, j.key)
	if err != nil || row == nil {
		return err
	}
	j.ignored = true
	return fault.New(fault.SystemError, "The system answered that the record was deleted, but it is still there.")
}

// readBack reads the record as it is now and compares it with what was written: a system's word alone is no proof.
func (j *job) readBack(ctx context.Context) (Record, error) {
	row, err := j.e.find(ctx, j.tx, j.t, j.key)
	if err != nil {
		return Record{}, err
	}
	if row == nil {
		return Record{}, fault.New(fault.SystemError, "The record is not there after the write.")
	}
	x := &encoder{ctx: ctx, e: j.e, t: j.t, view: j.view()}
	if err := x.fetch(j.tx, []connectors.Row{row}, x.view.children); err != nil {
		return Record{}, err
	}
	if j.p.ReadsBack() {
		if err := j.compare(x, row); err != nil {
			return Record{}, err
		}
	}
	return x.one(row), nil
}

// compare gives a fault that names what differs from what was sent.
func (j *job) compare(x *encoder, row connectors.Row) error {
	d := &difference{x: &encoder{ctx: x.ctx, e: x.e, t: x.t, view: x.view}}
	if j.t.Procedures[j.w.Operation] != nil && j.w.Operation != "delete" { // an action's input is no field of the record
		d.fields(j.t.columns, j.in.vars, row, "")
		d.fields(j.t.custom, j.in.vars, row, "")
		for name, members := range j.in.lists {
			if c := findColumn(j.t.columns, name); c != nil {
				d.list(c, members, x.children[c.From][j.t.parentOf(c.From, row)])
			}
		}
	}
	if status := j.t.statusOf(row); j.p.To != "" && status != j.p.To {
		d.note("status", status, j.p.To)
	}
	if len(d.found) == 0 {
		return nil
	}
	f := fault.New(fault.SystemError, "The system answered that it was done, but record %q does not show it: %s is %s, not %s.",
		x.t.appendID(nil, row), d.found[0].name, d.found[0].is, d.found[0].sent).Reaches(fault.ScopeRecord)
	for _, one := range d.found {
		f.Member(one.name, "NOT_WRITTEN", "is %s, not %s", one.is, one.sent)
	}
	if j.ignored = j.row != nil && reflect.DeepEqual(j.row, row); j.ignored {
		f.Advise("The system changed nothing, and gave no reason: look there at what the record's state allows.")
	}
	return f
}

// difference gathers what a record does not show as it was sent.
type difference struct {
	x     *encoder
	found []unlike
}

type unlike struct{ name, is, sent string }

func (d *difference) note(name, is, sent string) {
	if len(d.found) < 20 {
		d.found = append(d.found, unlike{name, is, sent})
	}
}

// fields compares what was sent for some columns with a row.
func (d *difference) fields(columns []*column, sent connectors.Vars, row connectors.Row, at string) {
	for _, c := range columns {
		if c.Type == entity.Object {
			d.fields(c.members, sent, row, at)
			continue
		}
		was, given := sent[c.param]
		is, there := row[c.From]
		if !given || !there || c.From == "" || c.Type == entity.List || d.same(c, was, is) {
			continue
		}
		d.note(at+c.path, d.shown(c, is), d.shown(c, was))
	}
}

// list compares a list's members in their order.
func (d *difference) list(c *column, sent []connectors.Vars, rows []connectors.Row) {
	if len(sent) != len(rows) {
		d.note(c.path, fmt.Sprintf("a list of %d", len(rows)), fmt.Sprintf("of %d", len(sent)))
		return
	}
	for i, vars := range sent {
		before := len(d.found)
		d.fields(c.members, vars, rows[i], "")
		for k := range d.found[before:] { // lines.price becomes lines[0].price
			one := &d.found[before+k]
			one.name = fmt.Sprintf("%s[%d]%s", c.path, i, strings.TrimPrefix(one.name, c.path))
		}
	}
}

// same compares what a record would show. A system may round a number to its places and a time to its second, and drop
// blanks at the end of a text: that is a matter of the column, and no write that went wrong.
func (d *difference) same(c *column, sent, is any) bool {
	if sent == nil || is == nil {
		return sent == nil && is == nil || text(sent) == "" && text(is) == ""
	}
	switch c.Type {
	case entity.Decimal:
		return rounds(text(sent), text(is))
	case entity.Datetime:
		a, _, okA := c.instant(sent)
		b, _, okB := c.instant(is)
		return okA && okB && a.Sub(b).Abs() <= time.Second
	}
	return bytes.Equal([]byte(d.shown(c, sent)), []byte(d.shown(c, is)))
}

func (d *difference) shown(c *column, native any) string {
	if s, ok := native.(string); ok {
		native = strings.TrimRight(s, " ")
	}
	return string(d.x.value(nil, c, connectors.Row{c.From: native}))
}

// rounds reports whether is is sent, rounded to the places that is has.
func rounds(sent, is string) bool {
	a, okA := toDecimal(sent)
	b, okB := toDecimal(is)
	if !okA || !okB {
		return sent == is
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	if !okX || !okY {
		return false
	}
	_, fraction, _ := strings.Cut(b, ".")
	places := max(len(fraction), 2) // systems drop zeros: 4.4 may be 4.40, and is not what 4.36 rounds to
	half := new(big.Rat).SetFrac(big.NewInt(5), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places+1)), nil))
	gap := x.Sub(x, y)
	return gap.Abs(gap).Cmp(half) <= 0
}

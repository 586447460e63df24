package jsonrpc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"gantry/connectors"
)

func (odoo) page(model string, domain, own []any, order []key, fields []string, limit int) invocation {
	by := make([]string, len(order))
	for i, k := range order {
		by[i] = odooPath(k.path, k.kind) + " asc"
	}
	return invocation{method: model + ".search_read", named: map[string]any{
		"domain": append(append([]any{}, own...), domain...), "fields": fields, "offset": 0, "limit": limit, "order": strings.Join(by, ", "),
	}}
}

// odooPath names a field to be ordered or compared by: by a relation itself it would be the related records' own order.
func odooPath(path, kind string) string {
	if kind == kindRecord {
		return path + ".id"
	}
	return path
}

// say: operators stand before what they join, "&" and "|" before two each.
func (d odoo) say(c condition) []any {
	if c.any == nil && c.all == nil {
		if c.value == nil {
			return []any{[]any{c.path, c.operator, false}}
		}
		operator := c.operator
		if operator == ">" && stamped(c.path) {
			operator = ">=" // the second that was said goes on: what is changed later in it is not to be lost
		}
		return []any{[]any{odooPath(c.path, c.kind), operator, c.value}}
	}
	operator, members := "&", c.all
	if c.any != nil {
		operator, members = "|", c.any
	}
	var out []any
	for range len(members) - 1 {
		out = append(out, operator)
	}
	for _, one := range members {
		out = append(out, d.say(one)...)
	}
	return out
}

// stamped are the fields that Odoo keeps to the microsecond, and says to the second.
func stamped(path string) bool { return path == "create_date" || path == "write_date" }

// orders: where several records are of one second, none of them is a place.
func (odoo) orders(path string) bool { return !stamped(path) }

func (odoo) field(record map[string]any, path string) any { return record[path] }

// found: a relation is its number.
func (odoo) found(record map[string]any, field string) any {
	v := record[field]
	if pair, ok := v.([]any); ok && len(pair) == 2 {
		if _, named := pair[1].(string); named {
			return pair[0]
		}
	}
	if v == false {
		return nil
	}
	return v
}

func (odoo) need(method string) (right, bool) {
	i := strings.LastIndexByte(method, '.')
	model, name := method[:i], method[i+1:]
	switch name {
	case "create", "read", "unlink":
		return right{model: model, operation: name}, true
	case "search", "search_read", "search_count", "context_get", "check_access_rights":
		return right{model: model, operation: "read"}, true
	}
	return right{model: model, operation: "write"}, true // a button, like write itself
}

func (odoo) lacks(ctx context.Context, c *conn, rights []right) ([]bool, error) {
	out := make([]bool, len(rights))
	for i, r := range rights {
		answer, err := c.call(ctx, invocation{method: r.model + ".check_access_rights", params: []any{r.operation}, named: map[string]any{"raise_exception": false}})
		if f, ok := errors.AsType[*connectors.Failure](err); ok && f.Source["error"] == "UserError" {
			out[i] = true // there is no such model: its module is not installed
			continue
		}
		if err != nil {
			return nil, err
		}
		out[i] = answer == false
	}
	return out, nil
}

func (odoo) unclear(*connectors.Failure) bool { return false }

// Times are texts in UTC, to the second.
const (
	odooDate     = time.DateOnly
	odooDatetime = time.DateTime
)

func (odoo) encode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		if kind == kindDate {
			return v.Format(odooDate), nil
		}
		return v.UTC().Format(odooDatetime), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case string, int64, float64, bool:
		return encodeScalar(v, kind)
	}
	return nil, fmt.Errorf("a %T cannot be sent", v)
}

// decode: false is null, but for truths; a relation is [number, name].
func (odoo) decode(v any, kind string) (any, error) {
	if pair, ok := v.([]any); ok {
		return odooRelation(pair, kind)
	}
	if v == nil || v == false && kind != kindBoolean {
		return nil, nil
	}
	switch kind {
	case kindDate:
		return decodeText(v, odooDate)
	case kindDatetime:
		return decodeText(v, odooDatetime)
	case kindRecord:
		if _, number := v.(json.Number); !number {
			return nil, errors.New("is no relation")
		}
	case kindName:
		return nil, errors.New("is no relation")
	}
	return decodeScalar(v)
}

func odooRelation(pair []any, kind string) (any, error) {
	switch {
	case len(pair) != 2:
	case kind == kindRecord:
		return decodeScalar(pair[0])
	case kind == kindName:
		return decodeScalar(pair[1])
	}
	return nil, errors.New("a list is no value of a column; a relation is taken as record or as name")
}

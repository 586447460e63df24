package rest

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"gantry/connectors"
	"gantry/connectors/web"
)

// statusStrange is the status of an answer that is none that the definition knows.
const statusStrange = "answer"

// source is what a Failure of this driver has for the error map: http, the status; code, the system's own; field_codes,
// its codes for single members; location; login, whether it was the login that failed.
func source(status int) map[string]any {
	return map[string]any{"http": int64(status), "code": "", "location": "", "login": false, "field_codes": []any{}}
}

// strange is an answer that is none that the definition knows. What a call did is not known.
func strange(message string) *connectors.Failure {
	return &connectors.Failure{Kind: connectors.Answered, Status: statusStrange, Message: message, Err: errors.New(message), Source: source(http.StatusOK)}
}

// unknown is an answer after which nobody can say what was done.
func unknown(message string) *connectors.Failure {
	f := strange(message)
	f.Kind, f.Sent = connectors.Lost, true
	return f
}

// atTheLogin marks a failure: what it says is about the user and the password.
func atTheLogin(err error) error {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok || f.Kind == connectors.Misused {
		return err
	}
	marked := *f
	marked.Source = maps.Clone(f.Source)
	marked.Source["login"] = true
	return &marked
}

// answer reads what the system says; the error is its refusal. An answer without a body is null.
func (c *conn) answer(r *web.Response) (any, error) {
	value, err := c.decode(r.Body)
	if r.Status >= http.StatusMultipleChoices {
		return nil, c.refusal(r, value)
	}
	if err != nil {
		f := strange("the answer cannot be read: " + err.Error())
		f.Err = err
		return nil, f
	}
	if when := c.protocol.errors.when; when != "" && says(web.At(value, when)) {
		return nil, c.refusal(r, value)
	}
	return value, nil
}

func (c *conn) decode(body []byte) (any, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if c.dialect == dialectXML {
		return decodeXML(body)
	}
	return web.Decode(body)
}

// says tells a member that means something from one that is there and empty.
func says(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return scalar(v) != "0"
}

// refusal makes a Failure of an answer that says no, in the system's own words where the definition says where they are.
func (c *conn) refusal(r *web.Response, value any) *connectors.Failure {
	f := r.Refusal()
	f.Source["code"], f.Source["login"], f.Source["field_codes"] = "", false, []any{}
	where := c.protocol.errors
	if where.code != "" {
		f.Source["code"] = web.Clip(scalar(web.At(value, where.code)))
	}
	if words, ok := web.At(value, where.message).(string); ok && where.message != "" && words != "" {
		f.Message = web.Clip(words)
	}
	if where.fields != "" {
		f.Fields = where.fieldsOf(web.At(value, where.fields))
		codes := []any{}
		for _, one := range f.Fields {
			codes = append(codes, one.Code)
		}
		f.Source["field_codes"] = codes
	}
	f.Err = errors.New(f.Message)
	return f
}

const maxFields = 100

// fieldsOf reads what is wrong with which member: {name: {code, message}}, {name: message}, or a list of {field, code, message}.
func (w faults) fieldsOf(v any) []connectors.FieldFault {
	var out []connectors.FieldFault
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, fieldFault(name, v[name]))
		}
	case []any:
		for _, item := range v {
			if name := scalar(web.At(item, w.field)); w.field != "" && name != "" {
				out = append(out, fieldFault(name, item))
			}
		}
	}
	return out[:min(len(out), maxFields)]
}

func fieldFault(name string, v any) connectors.FieldFault {
	out := connectors.FieldFault{Name: web.Clip(name)}
	switch v := v.(type) {
	case map[string]any:
		out.Code, out.Message = web.Clip(scalar(v["code"])), web.Clip(scalar(v["message"]))
	case []any:
		out.Message = web.Clip(scalar(web.At(v, "0")))
	default:
		out.Message = web.Clip(scalar(v))
	}
	return out
}

// ofAnEffect says what a refusal means for a request that changes something: a server that broke down (500) does not tell whether it had
// changed something before, and one that leads to another page (302, 303) often has.
func ofAnEffect(err error) error {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		return err
	}
	status, _ := f.Source["http"].(int64)
	broke := status >= http.StatusInternalServerError && status != http.StatusNotImplemented && status != http.StatusServiceUnavailable
	leads := status == http.StatusFound || status == http.StatusSeeOther
	if f.Kind == connectors.Answered && (broke || leads || f.Status == statusStrange) {
		f.Kind, f.Sent = connectors.Lost, true
	}
	return f
}

package odata

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/web"
)

const (
	statusStrange = "answer" // the status of an answer that is none of OData's
	codeCSRF      = "csrf"   // the code of a token against forged requests that cannot be had
	maxFields     = 100
)

// source is what a Failure of this driver has for the error map: http, the status; code, the service's own; field_codes, its codes
// for single members; location; login, whether it was the login that failed.
func source(status int) map[string]any {
	return map[string]any{"http": int64(status), "code": "", "location": "", "login": false, "field_codes": []any{}}
}

// strange is an answer that is none of OData's.
func strange(message string) *connectors.Failure {
	return &connectors.Failure{Kind: connectors.Answered, Status: statusStrange, Message: message, Err: errors.New(message), Source: source(http.StatusOK)}
}

// lacks is a service that is not as the definition expects: a property went, or it is of another version. Nothing was sent.
func lacks(format string, args ...any) *connectors.Failure {
	return strange(fmt.Sprintf(format, args...))
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

// refusal makes a Failure of an answer that says no, in the service's own words.
func (c *conn) refusal(r *web.Response) *connectors.Failure {
	f := r.Refusal()
	maps.Copy(f.Source, map[string]any{"code": "", "login": false, "field_codes": []any{}})
	said := readFault(r.Body)
	if said.code != "" {
		f.Source["code"] = said.code
	}
	if said.message != "" {
		f.Message = said.message
	}
	codes := []any{}
	for _, one := range said.details {
		codes = append(codes, one.Code)
		if one.Name != "" {
			f.Fields = append(f.Fields, one)
		}
	}
	f.Source["field_codes"] = codes
	if wantsToken(r) {
		f.Source["code"] = codeCSRF
	}
	f.Err = errors.New(f.Message)
	return f
}

// said is an error of a service: code, message, and what is wrong with single members.
type said struct {
	code, message string
	details       []connectors.FieldFault
}

// readFault reads a body that says what went wrong: JSON of either version, or version 2's XML. What is none is empty.
func readFault(body []byte) said {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return readFaultXML(body)
	}
	v, err := web.Decode(body)
	inner, ok := web.At(v, "error").(map[string]any)
	if err != nil || !ok {
		return said{}
	}
	out := said{code: web.Clip(scalar(inner["code"])), message: web.Clip(words(inner["message"]))}
	if target := name(inner["target"]); target != "" {
		out.details = append(out.details, connectors.FieldFault{Name: target, Code: out.code, Message: out.message})
	}
	for _, path := range []string{"details", "innererror.errordetails", "innererror.errordetails.errordetail"} {
		list, _ := web.At(inner, path).([]any)
		for _, item := range list[:min(len(list), maxFields)] {
			out.details = append(out.details, detail(item)...)
		}
	}
	return out
}

// words are a message: a text, or version 2's {lang, value}.
func words(v any) string {
	if inner, ok := v.(map[string]any); ok {
		return scalar(inner["value"])
	}
	return scalar(v)
}

// detail reads one of an error's details; what only informs is none.
func detail(v any) []connectors.FieldFault {
	item, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	switch strings.ToLower(scalar(item["severity"])) {
	case "info", "warning", "success":
		return nil
	}
	target := name(item["target"])
	if target == "" {
		target = name(item["propertyref"])
	}
	return []connectors.FieldFault{{Name: target, Code: web.Clip(scalar(item["code"])), Message: web.Clip(words(item["message"]))}}
}

// name makes a column's name of what an error points at: /#TRANSIENT#/to_Item(Line='10')/Material is material.
func name(v any) string {
	target := scalar(v)
	target = target[strings.LastIndexByte(target, '/')+1:]
	target, _, _ = strings.Cut(target, "(")
	if !resourceName.MatchString(target) || len(target) > 128 {
		return ""
	}
	return strings.ToLower(target)
}

func readFaultXML(body []byte) said {
	document, err := markup.Parse(body)
	if err != nil {
		return said{}
	}
	text := func(path string) string {
		p, err := markup.CompilePath(path)
		if err != nil {
			return ""
		}
		s, _, err := p.Text(document)
		if err != nil {
			return ""
		}
		return web.Clip(strings.TrimSpace(s))
	}
	return said{code: text("/error/code"), message: text("/error/message")}
}

package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// Login is the login form: a JSON Schema of an object, kept to what a form can show. Members that are writeOnly are
// credentials; the others are settings.
type Login struct {
	Required   []string            `json:"required"`
	Properties map[string]Property `json:"properties"`
}

// Property is one member of the login.
type Property struct {
	Type        string `json:"type,omitempty"` // string (also where it is not said), integer or boolean
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Format      string `json:"format,omitempty"`
	Enum        []any  `json:"enum,omitempty"`
	Default     any    `json:"default,omitempty"`
	Examples    []any  `json:"examples,omitempty"`
	Minimum     *int64 `json:"minimum,omitempty"`
	Maximum     *int64 `json:"maximum,omitempty"`
	MinLength   *int   `json:"minLength,omitempty"`
	MaxLength   *int   `json:"maxLength,omitempty"`
	Pattern     string `json:"pattern,omitempty"`
	WriteOnly   bool   `json:"writeOnly,omitempty"`
}

// maxLoginValue bounds one member of a login, in bytes: room for a certificate.
const maxLoginValue = 32 << 10

// Split checks a login against the form and parts it into settings, defaults filled in, and credentials. The error is a
// *fault.Error whose fields name every fault; it never repeats a value. A setting is a string, an int64 or a bool.
func (l Login) Split(settings, credentials json.RawMessage) (map[string]any, map[string]connectors.Secret, error) {
	refusal := fault.New(fault.ValidationFailed, "The login does not fit the form of the system.").
		Reaches(fault.ScopeConnection).Ended(fault.NotSent).
		Advise("Correct the members listed in `fields`; GET /systems/{system} shows the form.")
	given, err := loginMembers(settings)
	if err != nil {
		return nil, nil, refusal.Member("settings", "INVALID", "settings is a JSON object")
	}
	secret, err := loginMembers(credentials)
	if err != nil {
		return nil, nil, refusal.Member("credentials", "INVALID", "credentials is a JSON object")
	}
	plain, hidden := map[string]any{}, map[string]connectors.Secret{}
	for _, name := range slices.Sorted(maps.Keys(l.Properties)) {
		p := l.Properties[name]
		value, there := given[name], given[name] != nil
		if p.WriteOnly {
			value, there = secret[name], secret[name] != nil
		}
		if !there {
			value = p.Default
		}
		switch v, fault := p.check(value); {
		case value == nil && slices.Contains(l.Required, name):
			refusal.Member(name, "REQUIRED", "%s is required", p.label(name))
		case value == nil:
		case fault != "":
			refusal.Member(name, "INVALID", "%s %s", p.label(name), fault)
		case p.WriteOnly:
			hidden[name] = connectors.NewSecret(fmt.Sprint(v))
		default:
			plain[name] = v
		}
	}
	l.strangers(refusal, given, secret)
	if len(refusal.Fields) > 0 {
		return nil, nil, refusal
	}
	return plain, hidden, nil
}

// strangers names the members that the form does not have, or has on the other side.
func (l Login) strangers(refusal *fault.Error, settings, credentials map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		switch p, known := l.Properties[name]; {
		case !known:
			refusal.Member(name, "UNKNOWN", "the form has no such member")
		case p.WriteOnly:
			refusal.Member(name, "INVALID", "%s is a credential: send it in `credentials`, never in `settings`", p.label(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(credentials)) {
		switch p, known := l.Properties[name]; {
		case !known:
			refusal.Member(name, "UNKNOWN", "the form has no such member")
		case !p.WriteOnly:
			refusal.Member(name, "INVALID", "%s is a setting: send it in `settings`", p.label(name))
		}
	}
}

func loginMembers(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	body, err := connectors.DecodeBody(raw)
	return body, err
}

func (p Property) label(name string) string {
	if p.Title != "" {
		return p.Title
	}
	return name
}

// check types a value; the text says what is wrong with it, and never what it is.
func (p Property) check(value any) (any, string) {
	switch p.Type {
	case "integer":
		return p.checkInteger(value)
	case "boolean":
		if b, ok := value.(bool); ok {
			return b, ""
		}
		return nil, "must be true or false"
	}
	s, ok := value.(string)
	switch {
	case !ok:
		return nil, "must be a text"
	case len(s) > maxLoginValue || (p.MaxLength != nil && len(s) > *p.MaxLength):
		return nil, "is too long"
	case p.MinLength != nil && len(s) < *p.MinLength:
		return nil, "is too short"
	case len(p.Enum) > 0 && !slices.ContainsFunc(p.Enum, func(e any) bool { return fmt.Sprint(e) == s }):
		return nil, fmt.Sprintf("must be one of %v", p.Enum)
	}
	return s, ""
}

func (p Property) checkInteger(value any) (any, string) {
	i, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
	switch _, isText := value.(string); {
	case err != nil || isText:
		return nil, "must be a whole number"
	case p.Minimum != nil && i < *p.Minimum:
		return nil, fmt.Sprintf("must be at least %d", *p.Minimum)
	case p.Maximum != nil && i > *p.Maximum:
		return nil, fmt.Sprintf("must be at most %d", *p.Maximum)
	}
	return i, ""
}

package generator

import (
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"gantry/connectors/entity"
	"gantry/relay/openapi"
	"gantry/tunnel/fault"
)

// add puts an operation into the document. One of entities becomes one for each entity, and one for any.
func (g *generator) add(o openapi.Operation) error {
	if !o.Entity {
		return g.put(o, nil)
	}
	if !strings.HasPrefix(o.Path, "/entities") {
		return nil // the same as below /entities, where it is looked at
	}
	subjects := []subject{anyEntity()}
	for _, e := range entity.Catalogue() {
		subjects = append(subjects, subjectOf(e))
	}
	for _, of := range subjects {
		one := o
		one.ID = of.id + "." + o.ID
		one.Path = of.path + strings.TrimPrefix(o.Path, "/entities/{entity}")
		one.Tag = openapi.Tag(of.tag)
		if err := g.put(one, &of); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) put(o openapi.Operation, of *subject) error {
	made := &operation{ID: o.ID, Tags: []string{string(o.Tag)}, Summary: g.words(of, o.Summary), Roles: o.Caller.Roles}
	made.Description = g.words(of, o.Text) + "\n\n" + callers(o.Caller)
	if of != nil {
		made.Entity = strings.TrimPrefix(o.ID, of.id+".")
	}
	made.Security = security(o.Caller)
	if err := g.parameters(made, o, of); err != nil {
		return fmt.Errorf("%s: %w", o.ID, err)
	}
	if err := g.body(made, o, of); err != nil {
		return fmt.Errorf("%s: %w", o.ID, err)
	}
	if err := g.responses(made, o, of); err != nil {
		return fmt.Errorf("%s: %w", o.ID, err)
	}
	path, method := strings.TrimSuffix(o.Path, "/{$}"), strings.ToLower(o.Method)
	if g.made.Paths[path] == nil {
		g.made.Paths[path] = map[string]*operation{}
	}
	if g.made.Paths[path][method] != nil {
		return fmt.Errorf("%s: there are two operations %s %s", o.ID, o.Method, path)
	}
	g.made.Paths[path][method] = made
	return nil
}

func (g *generator) words(of *subject, text string) string {
	if of == nil {
		return text
	}
	return of.fill(text)
}

// callers says in a sentence who may call.
func callers(c openapi.Caller) string {
	roles := strings.Join(c.Roles, "`, `")
	if at := strings.LastIndex(roles, "`, `"); at >= 0 {
		roles = roles[:at] + "` or `" + roles[at+4:]
	}
	switch c.Kind {
	case openapi.Organisation:
		return "*Who:* an organisation key with the role `" + roles + "`."
	case openapi.Connection:
		return "*Who:* the connection's token; or an organisation key with the role `" + roles + "`, with `Gantry-Connection`."
	}
	return "*Who:* anybody, without a token."
}

// Names of the security schemes.
const (
	organisationKey = "organisationKey"
	connectionToken = "connectionToken"
)

func security(c openapi.Caller) []map[string][]string {
	switch c.Kind {
	case openapi.Organisation:
		return []map[string][]string{{organisationKey: {}}}
	case openapi.Connection:
		return []map[string][]string{{connectionToken: {}}, {organisationKey: {}}}
	}
	return []map[string][]string{}
}

// placeholder is a parameter in a path.
var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

func (g *generator) parameters(made *operation, o openapi.Operation, of *subject) error {
	segments := strings.Split(o.Path, "/")
	for i, segment := range segments {
		if match := placeholder.FindStringSubmatch(segment); match != nil {
			made.Parameters = append(made.Parameters, pathParameter(match[1], segments[i-1], of))
		}
	}
	for _, p := range o.Query {
		made.Parameters = append(made.Parameters, g.shared(g.parameter(p, "query", of)))
	}
	headers := o.Headers
	if o.Caller.Kind == openapi.Connection {
		headers = append(slices.Clone(headers), connectionHeader)
	}
	if !slices.ContainsFunc(o.Query, func(p openapi.Parameter) bool { return camel(p.Name) == camel(requestIDHeader.Name) }) {
		headers = append(slices.Clone(headers), requestIDHeader) // generators of code would have two of one name
	}
	for _, p := range headers {
		made.Parameters = append(made.Parameters, g.shared(g.parameter(p, "header", of)))
	}
	return nil
}

var (
	connectionHeader = openapi.Parameter{Name: "Gantry-Connection", Type: reflect.TypeFor[string](), Example: "con_4M7RPA2CYPVVXKAO",
		Text: "With an organisation key: the id of the connection that it speaks for. A connection's own token needs none."}
	requestIDHeader = openapi.Parameter{Name: "Request-Id", Type: reflect.TypeFor[string](), Max: 64, Pattern: `^[A-Za-z0-9._:-]+$`,
		Text: "Your own id of the request, which is kept and found in the logs of relay and agent. One that is not sane is replaced."}
)

// pathParameter describes a part of a path by the segment before it.
func pathParameter(name, before string, of *subject) *parameter {
	p := &parameter{Name: name, In: "path", Required: true, Schema: &jsonschema.Schema{Type: "string"}}
	thing := strings.ReplaceAll(strings.TrimSuffix(before, "s"), "-", " ")
	switch {
	case name == "entity":
		p.Description, p.Example = "The name of an entity: one of the twelve, or a custom one.", "purchase-orders"
	case name == "action":
		p.Description, p.Example = "The name of the action.", "approve"
	case of != nil:
		p.Description, p.Example = of.fill("The id of the {record}, escaped."), "4012"
	default:
		p.Description = "The id of the " + thing + "."
	}
	return p
}

func (g *generator) parameter(p openapi.Parameter, in string, of *subject) *parameter {
	schema, err := g.schemas.of(p.Type, true)
	if err != nil || p.Type.Kind() == reflect.Map {
		schema = &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}}
	}
	switch {
	case p.Type.Kind() == reflect.String && p.Max > 0:
		schema.MaxLength = &p.Max
	case p.Max > 0:
		least, most := float64(p.Min), float64(p.Max)
		schema.Minimum, schema.Maximum = &least, &most
	}
	schema.Pattern, schema.Format = p.Pattern, p.Format
	if len(p.Values) > 0 {
		schema.Enum = enum(p.Values)
	}
	if p.Default != nil && p.Default != 0 {
		schema.Default = fmt.Append(nil, p.Default)
	}
	made := &parameter{Name: p.Name, In: in, Required: p.Required, Description: g.words(of, p.Text), Schema: schema, Example: p.Example}
	if p.Free {
		explode := true
		made.Style, made.Explode = "form", &explode
	}
	if of != nil && of.entity != nil && p.Name == "status" {
		if f := of.entity.Field("status"); f != nil {
			schema.Enum = enum(f.Values)
		}
	}
	return made
}

// shared keeps a parameter as a component if it is the same wherever its name stands.
func (g *generator) shared(p *parameter) *parameter {
	name := componentOfParameter(p)
	have := g.made.Components.Parameters[name]
	if have == nil {
		g.made.Components.Parameters[name] = p
		have = p
	}
	if reflect.DeepEqual(have, p) {
		return &parameter{Ref: "#/components/parameters/" + name}
	}
	return p
}

// componentOfParameter gives a name that no schema has: generators of code have one space for all.
func componentOfParameter(p *parameter) string { return camel(p.Name) + "Parameter" }

func (g *generator) body(made *operation, o openapi.Operation, of *subject) error {
	if o.Body == nil {
		return nil
	}
	schema, err := g.schema(o.Body.Type, of, true)
	if err != nil {
		return err
	}
	made.Body = &body{Description: g.words(of, o.Body.Text), Required: !o.Body.Optional, Content: map[string]*media{}}
	kinds := o.Body.Media
	if len(kinds) == 0 {
		kinds = []string{openapi.JSON}
	}
	for _, kind := range kinds {
		made.Body.Content[kind] = &media{Schema: schema, Example: g.examples.request(o.ID)}
	}
	return nil
}

// schema gives the schema of a document; those of entities stand for the subject's.
func (g *generator) schema(t reflect.Type, of *subject, sent bool) (*jsonschema.Schema, error) {
	if of == nil { // an operation on the records of whatever entity
		subject := anyEntity()
		of = &subject
	}
	switch t {
	case reflect.TypeFor[openapi.Record]():
		return reference(of.name), nil
	case reflect.TypeFor[openapi.RecordPage]():
		return reference(of.name + "Page"), nil
	case reflect.TypeFor[openapi.RecordWish]():
		return reference(of.name + "Input"), nil
	case reflect.TypeFor[openapi.ActionWish]():
		return &jsonschema.Schema{Type: "object", Description: "What the action takes, as the capabilities say."}, nil
	case reflect.TypeFor[openapi.Written]():
		plan, err := g.schemas.of(reflect.TypeFor[openapi.Plan](), false)
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{reference(of.name), plan}}, err
	case reflect.TypeFor[openapi.Line]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{reference(of.name), reference("StreamEnd"), reference("StreamError")}}, nil
	}
	return g.schemas.of(t, sent)
}

func (g *generator) responses(made *operation, o openapi.Operation, of *subject) error {
	made.Responses = map[string]*response{}
	for _, a := range o.Answers {
		r, err := g.success(a, o, of)
		if err != nil {
			return err
		}
		made.Responses[strconv.Itoa(a.Status)] = r
	}
	statuses, codes := openapi.ByStatus(o.Failures())
	for _, status := range statuses {
		made.Responses[strconv.Itoa(status)] = g.failure(status, codes[status], o)
	}
	return nil
}

func (g *generator) success(a openapi.Answer, o openapi.Operation, of *subject) (*response, error) {
	r := &response{Description: g.words(of, a.Text), Headers: g.headers(o.Caller, a.Headers...)}
	for _, content := range a.Bodies {
		m := &media{Schema: &jsonschema.Schema{Type: "string"}}
		switch {
		case content.Media == openapi.Binary:
			m.Schema = &jsonschema.Schema{Type: "string", Format: "binary"}
		case content.Type != nil:
			schema, err := g.schema(content.Type, of, false)
			if err != nil {
				return nil, err
			}
			if m.Schema = schema; content.Lines {
				m.Schema = stream(content.Media, schema)
			}
		}
		if !content.Lines {
			m.Example = g.examples.answer(o.ID, a.Status, content.Media)
		}
		if r.Content == nil {
			r.Content = map[string]*media{}
		}
		r.Content[content.Media] = m
	}
	return r, nil
}

// stream is a text of many documents. Events end with a problem that says why, where there is a reason.
func stream(media string, line *jsonschema.Schema) *jsonschema.Schema {
	about := "A document a line."
	if media == openapi.SSE {
		about = "The `data` of an event is a document; that of the event `end`, which may come last, a problem that says why."
		line = &jsonschema.Schema{OneOf: []*jsonschema.Schema{line, reference("Problem")}}
	}
	return &jsonschema.Schema{Type: "string", Description: about, ContentMediaType: openapi.JSON, ContentSchema: line}
}

// headers are those of every answer, and those of this one.
func (g *generator) headers(c openapi.Caller, more ...openapi.Header) map[string]header {
	all := map[string]header{"Request-Id": {Ref: "#/components/headers/RequestId"}}
	if c.Kind != openapi.Anyone {
		all["RateLimit"] = header{Ref: "#/components/headers/RateLimit"}
		all["RateLimit-Policy"] = header{Ref: "#/components/headers/RateLimitPolicy"}
	}
	for _, h := range more {
		schema := &jsonschema.Schema{Type: "string"}
		if len(h.Values) > 0 {
			schema.Enum = enum(h.Values)
		}
		name := camel(h.Name)
		g.made.Components.Headers[name] = header{Description: h.Text, Required: h.Required, Schema: schema, Example: h.Example}
		all[h.Name] = header{Ref: "#/components/headers/" + name}
	}
	return all
}

// failure gives the response of a status with its codes. Those that many operations share are components.
func (g *generator) failure(status int, codes []fault.Code, o openapi.Operation) *response {
	for _, class := range classes {
		_, usual := openapi.ByStatus(class.operation.Failures())
		if slices.Equal(usual[status], codes) {
			name := camel(strings.ReplaceAll(http.StatusText(status), " ", "-")) + class.suffix
			if g.made.Components.Responses[name] == nil {
				g.made.Components.Responses[name] = g.problem(status, codes, class.operation.Caller)
			}
			return &response{Ref: "#/components/responses/" + name}
		}
	}
	return g.problem(status, codes, o.Caller)
}

// classes are the kinds of operations that share their failures.
var classes = []struct {
	suffix    string
	operation openapi.Operation
}{
	{"", openapi.Operation{Path: "/{id}", Caller: openapi.Caller{Kind: openapi.Organisation}, Description: openapi.Description{Body: &openapi.Body{}}}},
	{"AtAgent", openapi.Operation{Caller: openapi.Caller{Kind: openapi.Organisation}, Description: openapi.Description{Reach: openapi.AtAgent}}},
	{"AtSystem", openapi.Operation{Caller: openapi.Caller{Kind: openapi.Connection}, Description: openapi.Description{Reach: openapi.Reads}}},
	{"OnWrite", openapi.Operation{Caller: openapi.Caller{Kind: openapi.Connection}, Description: openapi.Description{Reach: openapi.Writes}}},
}

func (g *generator) problem(status int, codes []fault.Code, c openapi.Caller) *response {
	var titles []string
	r := &response{Headers: g.headers(c)}
	for _, code := range codes {
		spec := code.Spec()
		titles = append(titles, fmt.Sprintf("`%s`: %s", code, lower(spec.Title)))
		if spec.Retryable || code == fault.Conflict { // an earlier try of the same key may still be running
			r.Headers["Retry-After"] = header{Ref: "#/components/headers/RetryAfter"}
		}
	}
	r.Description = strings.Join(titles, "; ") + "."
	switch status {
	case http.StatusUnauthorized:
		r.Headers["WWW-Authenticate"] = header{Ref: "#/components/headers/WWWAuthenticate"}
	case http.StatusMethodNotAllowed:
		r.Headers["Allow"] = header{Ref: "#/components/headers/Allow"}
	}
	schema := reference("Problem")
	schema.Properties = map[string]*jsonschema.Schema{"code": {Enum: enumOf(codes)}}
	r.Content = map[string]*media{fault.ContentType: {Schema: schema, Example: g.examples.problem(codes)}}
	return r
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func enumOf[T ~string](values []T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

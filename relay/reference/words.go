package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// words are the functions that the template speaks with.
func words(d *document) template.FuncMap {
	return template.FuncMap{
		"prose":     prose,
		"inline":    inline,
		"code":      code,
		"curl":      d.curl,
		"fields":    d.fields,
		"parameter": func(p *parameter) field { return d.parameterField(p) },
		"own":       own,
		"answers":   answers,
		"failures":  failures,
		"example":   d.example,
		"record":    d.record,
		"anchor":    anchor,
		"headers":   headers,
		"callers":   callers,
		"body":      func(o *operation) *schema { return bodyOf(o) },
		"lower":     strings.ToLower,
		"base":      func() string { return d.Servers[0].URL },
	}
}

var (
	strong   = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	emphasis = regexp.MustCompile(`\*([^*]+)\*`)
	literal  = regexp.MustCompile("`([^`]+)`")
)

// inline shows the little Markdown of a sentence: it is ours, and is escaped all the same.
func inline(text string) template.HTML {
	safe := template.HTMLEscapeString(text)
	var kept []string
	safe = literal.ReplaceAllStringFunc(safe, func(s string) string {
		kept = append(kept, "<code>"+s[1:len(s)-1]+"</code>")
		return "\x00"
	})
	safe = strong.ReplaceAllString(safe, "<strong>$1</strong>")
	safe = emphasis.ReplaceAllString(safe, "<em>$1</em>")
	for _, c := range kept {
		safe = strings.Replace(safe, "\x00", c, 1)
	}
	return template.HTML(safe)
}

// prose shows paragraphs. Who may call stands elsewhere on the page.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if paragraph != "" && !strings.HasPrefix(paragraph, "*Who:*") {
			b.WriteString("<p>" + string(inline(paragraph)) + "</p>")
		}
	}
	return template.HTML(b.String())
}

// jsonToken is a piece of JSON that has a colour.
var jsonToken = regexp.MustCompile(`("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*\b`)

// code shows a JSON document, coloured.
func code(raw json.RawMessage) template.HTML {
	var pretty bytes.Buffer
	if json.Indent(&pretty, raw, "", "  ") != nil {
		return ""
	}
	var b strings.Builder
	text, at := pretty.String(), 0
	for _, m := range jsonToken.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(template.HTMLEscapeString(text[at:m[0]]))
		class, end := "n", m[1]
		switch {
		case m[4] >= 0:
			class, end = "k", m[3]
		case m[2] >= 0:
			class = "s"
		}
		fmt.Fprintf(&b, `<span class="%s">%s</span>`, class, template.HTMLEscapeString(text[m[0]:end]))
		at = end
	}
	b.WriteString(template.HTMLEscapeString(text[at:]))
	return template.HTML(b.String())
}

// anchor is what an address on the page points to.
func anchor(parts ...string) string {
	return strings.NewReplacer(" ", "-", "'", "").Replace(strings.ToLower(strings.Join(parts, "-")))
}

// callers says who may call, in a few words each.
func callers(o *operation) (all []string) {
	for _, s := range o.Security {
		for name := range s {
			if name == "connectionToken" {
				all = append(all, "connection token")
			} else {
				all = append(all, "organisation key")
			}
		}
	}
	if len(all) == 0 {
		all = []string{"no token"}
	}
	return all
}

// own leaves out the parameters that are the same everywhere, which the introduction tells.
func own(all []*parameter) (some []*parameter) {
	for _, p := range all {
		if p.Name != "Request-Id" && p.Name != "Gantry-Connection" {
			some = append(some, p)
		}
	}
	return some
}

// answer is one way in which an operation ends well.
type answer struct {
	Status  string
	Text    string
	Media   []string
	Schema  *schema
	Headers map[string]*header
}

func answers(o *operation) (all []answer) {
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		r := o.Responses[status]
		if status[0] != '2' {
			continue
		}
		a := answer{Status: status, Text: r.Description, Media: slices.Sorted(maps.Keys(r.Content)), Headers: r.Headers}
		if m := r.Content["application/json"]; m != nil {
			a.Schema = m.Schema
		}
		all = append(all, a)
	}
	return all
}

// headers leaves out those that every answer has.
func headers(all map[string]*header) (own []field) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name != "Request-Id" && !strings.HasPrefix(name, "RateLimit") {
			own = append(own, field{Name: name, Text: all[name].Description})
		}
	}
	return own
}

// failure is a status with the codes that it can have.
type failure struct {
	Status string
	Codes  []string
}

func failures(o *operation) (all []failure) {
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		for _, m := range o.Responses[status].Content {
			if status[0] == '2' || m.Schema == nil {
				continue
			}
			f := failure{Status: status}
			for _, p := range m.Schema.Properties {
				for _, code := range p.Schema.Enum {
					f.Codes = append(f.Codes, fmt.Sprint(code))
				}
			}
			all = append(all, f)
		}
	}
	return all
}

func bodyOf(o *operation) *schema {
	if o.Body == nil || o.Body.Content["application/json"] == nil {
		return nil
	}
	return o.Body.Content["application/json"].Schema
}

func (d *document) parameterField(p *parameter) field {
	f := d.field(p.Name, p.Schema)
	f.Required, f.Text = p.Required, p.Description
	return f
}

// shown is an example of an answer.
type shown struct {
	Status string
	Body   json.RawMessage
}

// example gives an answer to show: of what any entity has, one of purchase orders.
func (d *document) example(o *operation) *shown {
	o = d.model(o)
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		if m := o.Responses[status].Content["application/json"]; m != nil && len(m.Example) > 0 && (status != "200" || o.Entity != "create") {
			return &shown{status, m.Example}
		}
	}
	return nil
}

// modelEntity stands for any entity where the page shows an example.
const modelEntity = "purchase-orders"

func (d *document) model(o *operation) *operation {
	if strings.Contains(o.Path, "{entity}") {
		if m := d.find(modelEntity + "." + o.Entity); m != nil {
			return m
		}
	}
	return o
}

// record gives the operation that shows what a record of the entity looks like.
func (d *document) record(g group) *operation {
	for _, o := range g.Operations {
		if o.Entity == "get" {
			return o
		}
	}
	return nil
}

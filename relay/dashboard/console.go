package dashboard

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gantry/tunnel/fault"
)

// consoleLimits are how many records a list of the console may show.
var consoleLimits = []int{5, 10, 25}

// consolePage lets a person read the plant's data as an application would, and shows the call that does it.
type consolePage struct {
	Connection headed
	Problem    *fault.Error // why nothing is known of what it may do; nil: it is
	Choices    []choice
	Entity     string
	Can        entityCapabilities
	Filters    []filter
	Limit      int
	ID         string
	Stored     bool // of what was synced, and not of the plant
	Result     *result
}

// Limits are the choices of the form.
func (consolePage) Limits() []int { return consoleLimits }

// filter is one input of the form: a parameter that the list takes.
type filter struct {
	Name   string
	Values []string // to choose from; nil: any
	Hint   string
	Value  string
}

// Field is the name of the input. A filter may be called like a member of the form.
func (f filter) Field() string { return "f." + f.Name }

func (v *visit) console() error {
	query := v.r.URL.Query()
	p := consolePage{ID: strings.TrimSpace(query.Get("id")), Stored: query.Get("source") == "copy", Limit: consoleLimits[1]}
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && slices.Contains(consoleLimits, n) {
		p.Limit = n
	}
	var err error
	if p.Connection, err = v.head("console"); err != nil {
		return err
	}
	can, err := v.capabilities(p.Connection.ID)
	if p.Problem, err = told(err); err != nil {
		return err
	}
	p.Entity = can.entity(query.Get("entity"))
	p.Choices, p.Can = can.choices(v, p.Entity), can.Entities[p.Entity]
	p.Filters = p.Can.filters(query)
	if run := query.Get("run"); p.Entity != "" && (run == "list" || run == "get" && p.ID != "") {
		if p.Result, err = v.try(p.wish(run, query.Get("cursor")), p.Can, p.Connection); err != nil {
			return err
		}
	}
	v.show(http.StatusOK, "console", p.Connection.Name+": try it", p)
	return nil
}

// told parts a failure that the page itself tells from one that ends it.
func told(err error) (*fault.Error, error) {
	f, ours := errors.AsType[*fault.Error](err)
	if !ours || f.Code == fault.AuthenticationFailed || f.Code == fault.TokenRevoked {
		return nil, err
	}
	return f, nil
}

// filters are the parameters of the list, those that are typed first.
func (c entityCapabilities) filters(typed url.Values) (all []filter) {
	names := slices.Clone(c.Filters)
	for name, f := range c.Fields {
		if f.Filterable && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		field := c.Fields[name]
		f := filter{Name: name, Values: field.Values, Hint: field.Type, Value: strings.TrimSpace(typed.Get("f." + name))}
		switch {
		case strings.HasSuffix(name, "_after"):
			f.Hint = "2026-01-31T00:00:00Z"
		case field.Type == "boolean":
			f.Values = []string{"true", "false"}
		}
		all = append(all, f)
	}
	return all
}

// Narrowed tells whether a filter is in use: the page shows them open then.
func (p consolePage) Narrowed() bool {
	return slices.ContainsFunc(p.Filters, func(f filter) bool { return f.Value != "" })
}

// wish is the path of the call under the API.
func (p consolePage) wish(run, cursor string) string {
	path := "/entities/" + url.PathEscape(p.Entity)
	if p.Stored {
		path = "/records/" + url.PathEscape(p.Entity)
	}
	if run == "get" {
		return path + "/" + url.PathEscape(p.ID)
	}
	query := url.Values{"limit": {strconv.Itoa(p.Limit)}}
	for _, f := range p.Filters {
		if f.Value != "" {
			query.Set(f.Name, f.Value)
		}
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return path + "?" + query.Encode()
}

// CanList and CanGet tell whether the form offers the operation.
func (p consolePage) CanList() bool { return p.Stored || p.Can.Operations["list"].Allowed }

// CanGet tells whether one record can be read.
func (p consolePage) CanGet() bool { return p.Stored || p.Can.Operations["get"].Allowed }

// Denied says why nothing of the entity can be read; nil: something can.
func (p consolePage) Denied() *verdict {
	if p.CanList() || p.CanGet() {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(p.Can.Operations)) {
		if o := p.Can.Operations[name]; name == "list" {
			return &o
		}
	}
	return &verdict{}
}

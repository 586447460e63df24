package dashboard

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// system is one of GET /systems.
type system struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Categories []string `json:"categories"`
	Tier       int      `json:"tier"`
	Proved     string   `json:"proved"`
	Guide      string   `json:"guide"`
	Entities   []struct {
		Name string `json:"name"`
	} `json:"entities"`
	Login struct {
		Required   []string            `json:"required"`
		Properties map[string]property `json:"properties"`
	} `json:"login"`
}

// Paragraphs are those of the guide, whose lines are broken as its author broke them.
func (s system) Paragraphs() []string { return strings.Split(strings.TrimSpace(s.Guide), "\n\n") }

// property is one member of a login form.
type property struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Format      string `json:"format"`
	Enum        []any  `json:"enum"`
	Default     any    `json:"default"`
	Examples    []any  `json:"examples"`
	WriteOnly   bool   `json:"writeOnly"`
}

// Initials stand where a product's logo would.
func (s system) Initials() string {
	var initials strings.Builder
	for word := range strings.FieldsSeq(s.Name) {
		if initials.Len() < 2 {
			initials.WriteString(strings.ToUpper(word[:1]))
		}
	}
	return initials.String()
}

// field is one input of the form.
type field struct {
	Name string
	property
	Required bool
	Value    any // of a setting that was typed before, or its default
}

// Input is the type of the HTML input.
func (f field) Input() string {
	switch {
	case f.WriteOnly:
		return "password"
	case f.Type == "integer":
		return "number"
	case f.Type == "boolean":
		return "checkbox"
	}
	return "text"
}

// fields parts the form into what is needed, in the order in which the definition needs it, and the rest.
func (s system) fields(typed map[string]any) (needed, optional []field) {
	for _, name := range slices.Sorted(maps.Keys(s.Login.Properties)) {
		p := s.Login.Properties[name]
		f := field{Name: name, property: p, Required: slices.Contains(s.Login.Required, name), Value: cmp.Or(typed[name], p.Default)}
		f.Title = cmp.Or(f.Title, name)
		if f.Required {
			needed = append(needed, f)
		} else {
			optional = append(optional, f)
		}
	}
	slices.SortFunc(needed, func(a, b field) int {
		return cmp.Compare(slices.Index(s.Login.Required, a.Name), slices.Index(s.Login.Required, b.Name))
	})
	return needed, optional
}

// systemsPage lets a person pick one.
type systemsPage struct {
	Search     string
	Category   string
	Categories []string
	Systems    []system
	Sites      []site
	Site       string
}

// systems shows what the chosen site can connect.
func (v *visit) systems() error {
	sites, err := everything[site](v.caller, "/sites")
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	p := systemsPage{Search: strings.TrimSpace(query.Get("q")), Category: query.Get("category"), Sites: sites, Site: query.Get("site")}
	if p.Site == "" && len(sites) > 0 {
		p.Site = sites[0].ID
	}
	if p.Site == "" { // there is none, and the page says so
		v.show(http.StatusOK, "systems", "Connect a system", p)
		return nil
	}
	var all list[system]
	if err := v.get("/systems?site="+url.QueryEscape(p.Site), &all); err != nil {
		return err
	}
	for _, s := range all.Data {
		for _, category := range s.Categories {
			if !slices.Contains(p.Categories, category) {
				p.Categories = append(p.Categories, category)
			}
		}
		text := strings.ToLower(s.Name + " " + s.ID)
		if strings.Contains(text, strings.ToLower(p.Search)) && (p.Category == "" || slices.Contains(s.Categories, p.Category)) {
			p.Systems = append(p.Systems, s)
		}
	}
	slices.Sort(p.Categories)
	v.show(http.StatusOK, "systems", "Connect a system", p)
	return nil
}

package dashboard

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gantry/tunnel/fault"
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
	if p.Site == "" {
		return fault.New(fault.Conflict, "A system is connected at a site, and there is none yet.").Advise("Add a site first, and install the agent there.")
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

// connectPage is the login form of one system.
type connectPage struct {
	System  system
	Site    site
	Agent   agent // to whose key the login is sealed
	Name    string
	Problem *fault.Error // of the login that was just tried; nil: none was

	Needed, Optional []field
}

func (v *visit) connectForm() error {
	return v.showForm(v.r.URL.Query().Get("site"), v.r.PathValue("system"), "", nil, nil)
}

func (v *visit) showForm(siteID, systemID, name string, typed map[string]any, problem *fault.Error) error {
	p := connectPage{Name: name, Problem: problem}
	if err := v.get("/sites/"+url.PathEscape(siteID), &p.Site); err != nil {
		return err
	}
	if err := v.get("/systems/"+url.PathEscape(systemID)+"?site="+url.QueryEscape(siteID), &p.System); err != nil {
		return err
	}
	if p.Name == "" {
		p.Name = p.System.Name
	}
	at := slices.IndexFunc(p.Site.Agents, func(a agent) bool { return a.State == "connected" && a.SealingKey != nil })
	if at < 0 {
		return fault.New(fault.AgentOffline, "No agent of %s is connected: nobody there can log in.", p.Site.Name).
			Advise("Start the agent there (gantry-agent status on its machine says why it is away), then come back.")
	}
	p.Agent = p.Site.Agents[at]
	p.Needed, p.Optional = p.System.fields(typed)
	status := http.StatusOK
	if problem != nil {
		status = problem.Code.Spec().Status
	}
	v.show(status, "connect", "Connect "+p.System.Name, p)
	return nil
}

// connect logs in with what the browser sealed. The page never takes a secret as it is.
func (v *visit) connect() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 256<<10)
	form := func(name string) string { return v.r.PostFormValue(name) }
	var typed map[string]any
	if err := json.Unmarshal([]byte(form("settings")), &typed); err != nil || form("sealed") == "" {
		return fault.New(fault.InvalidRequest, "The login was not sealed, so it was not taken.").
			Advise("The browser seals it to the agent's key with a script: allow scripts for this page, or connect with the API.")
	}
	wish := map[string]any{
		"site": form("site"), "system": form("system"), "agent": form("agent"), "name": form("name"),
		"settings": json.RawMessage(form("settings")), "sealed_credentials": json.RawMessage(form("sealed")),
	}
	var made struct {
		Connection connection
		Token      string
	}
	err := v.call(http.MethodPost, "/connections", wish, &made)
	if f, ours := errors.AsType[*fault.Error](err); ours && f.Code != fault.AuthenticationFailed && f.Code != fault.TokenRevoked {
		return v.showForm(form("site"), form("system"), form("name"), typed, f)
	}
	if err != nil {
		return err
	}
	v.r.SetPathValue("id", made.Connection.ID)
	return v.showConnection(made.Token)
}

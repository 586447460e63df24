package dashboard

import (
	"maps"
	"net/url"
	"slices"
)

// capabilities is GET /connection/capabilities.
type capabilities struct {
	System   string                        `json:"system"`
	Version  string                        `json:"definition_version"`
	Entities map[string]entityCapabilities `json:"entities"`

	Passthrough struct {
		verdict
		Form     string   `json:"form"` // "": the system takes none
		Patterns []string `json:"patterns"`
	} `json:"passthrough"`
}

type entityCapabilities struct {
	Operations map[string]verdict         `json:"operations"`
	Actions    map[string]verdict         `json:"actions"`
	Fields     map[string]fieldCapability `json:"fields"`
	Filters    []string                   `json:"filters"`
	Rules      []struct {
		On      []string `json:"on"`
		Message string   `json:"message"`
	} `json:"rules"`
}

// verdict is a yes, or a no and who said it.
type verdict struct {
	Allowed  bool     `json:"allowed"`
	DeniedBy string   `json:"denied_by"`
	Reason   string   `json:"reason"`
	Advice   string   `json:"advice"`
	Title    string   `json:"title"` // of an action, as the next two
	From     []string `json:"from"`
	To       string   `json:"to"`
}

type fieldCapability struct {
	Type       string                     `json:"type"`
	Ref        string                     `json:"ref"`
	Values     []string                   `json:"values"`
	Filterable bool                       `json:"filterable"`
	Writable   []string                   `json:"writable"`
	Required   []string                   `json:"required"`
	DeniedBy   string                     `json:"denied_by"`
	MaxLength  int                        `json:"max_length"`
	Fields     map[string]fieldCapability `json:"fields"`
}

// capabilities asks what the connection may do.
func (v *visit) capabilities(id string) (can capabilities, err error) {
	err = v.of(id).get("/connection/capabilities", &can)
	return can, err
}

// choice is one of a few to pick from.
type choice struct {
	Name, Path string
	Here       bool
}

// choices lists the entities, each with the address of the page that is about it.
func (c capabilities) choices(v *visit, now string) (all []choice) {
	for _, name := range slices.Sorted(maps.Keys(c.Entities)) {
		all = append(all, choice{name, v.r.URL.Path + "?entity=" + url.QueryEscape(name), name == now})
	}
	return all
}

// entity picks the one that the page is about: what was asked for, or the first.
func (c capabilities) entity(asked string) string {
	if _, there := c.Entities[asked]; there || len(c.Entities) == 0 {
		return asked
	}
	return slices.Min(slices.Collect(maps.Keys(c.Entities)))
}

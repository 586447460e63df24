package api

import (
	"cmp"
	"slices"

	"gantry/relay/status"
)

// connectionCounts are how many connections there are.
type connectionCounts struct {
	Total   int                  `json:"total"`   // of the organisation, without those that were disconnected
	States  map[status.State]int `json:"states"`  // of those that the other parameters let through, whatever `state` says
	Systems []facet              `json:"systems"` // of all that are in the total; the 100 most frequent ones
	Sites   []facet              `json:"sites"`   // of all that are in the total; the 100 most frequent ones
}

// facet is what connections have in common.
type facet struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// counting counts connections one by one.
type counting struct {
	connectionCounts
	systems, sites map[string]*facet
}

func newCounts() *counting {
	return &counting{connectionCounts: connectionCounts{States: map[status.State]int{}}, systems: map[string]*facet{}, sites: map[string]*facet{}}
}

// all counts a connection among all.
func (c *counting) all(s surveyed) {
	if s.state == status.Disconnected {
		return
	}
	c.Total++
	count(c.systems, s.System, s.SystemName)
	count(c.sites, s.SiteID, s.SiteName)
}

func count(facets map[string]*facet, id, name string) {
	f := facets[id]
	if f == nil {
		f = &facet{ID: id, Name: name}
		facets[id] = f
	}
	f.Count++
}

// settle makes the lists.
func (c *counting) settle() { c.Systems, c.Sites = frequent(c.systems), frequent(c.sites) }

func frequent(facets map[string]*facet) []facet {
	all := make([]facet, 0, len(facets))
	for _, f := range facets {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b facet) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(len(all), maxFacets)]
}

package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (v *visit) sites() error {
	all, err := everything[site](v.caller, "/sites")
	if err != nil {
		return err
	}
	p := sitesPage{Sorted: v.sorting("name")}
	order(p.Sorted, all, map[string]func(a, b site) int{
		"name": byText(func(s site) string { return s.Name }), "agents": byNumber(site.Connected),
		"since": byTime(func(s site) *time.Time { return s.CreatedAt }),
	})
	p.Sites, p.Leaf = leafed(v.r.URL, all)
	v.show(http.StatusOK, "sites", "Sites", p)
	return nil
}

// sitesPage lists the sites.
type sitesPage struct {
	Sorted sorting
	Sites  []site
	Leaf   leaf
}

// Connected is how many of its agents are.
func (s site) Connected() (n int) {
	for _, a := range s.Agents {
		if a.State == "connected" {
			n++
		}
	}
	return n
}

// sitePage is a site with its agents, and with the token of one that is to come.
type sitePage struct {
	Site    site
	Token   *newSite // that was just made; nil: none
	Relay   string
	Waiting bool // for the first agent
}

// arrival is how long an agent is news.
const arrival = 10 * time.Minute

// Arrived are the agents that came a moment ago.
func (p sitePage) Arrived() []agent {
	return slices.DeleteFunc(slices.Clone(p.Site.Agents), func(a agent) bool {
		return a.ConnectedSince == nil || a.EnrolledAt == nil || time.Since(*a.EnrolledAt) > arrival
	})
}

func (v *visit) site() error { return v.showSite(v.r.PathValue("id"), nil) }

func (v *visit) showSite(id string, token *newSite) error {
	p := sitePage{Token: token, Relay: v.URL}
	if err := v.get("/sites/"+url.PathEscape(id), &p.Site); err != nil {
		return err
	}
	p.Waiting = len(p.Site.Agents) == 0
	v.show(http.StatusOK, "site", p.Site.Name, p)
	return nil
}

// addSite makes a site and shows how its first agent comes to it: the token is shown only now.
func (v *visit) addSite() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 4<<10)
	var made newSite
	if err := v.call(http.MethodPost, "/sites", map[string]string{"name": strings.TrimSpace(v.r.PostFormValue("name"))}, &made); err != nil {
		return err
	}
	return v.showSite(made.ID, &made)
}

func (v *visit) addToken() error {
	id := v.r.PathValue("id")
	var made newSite
	if err := v.call(http.MethodPost, "/sites/"+url.PathEscape(id)+"/enrolment-tokens", map[string]any{}, &made); err != nil {
		return err
	}
	return v.showSite(id, &made)
}

package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gantry/relay/openapi"
	"gantry/relay/status"
	"gantry/relay/store"
)

// A list of connections that is ordered, searched or counted looks at every connection of the organisation: where one stands
// now is known in memory alone, so that no index of the store can tell. The store keeps their rows at hand for that.

// current are the connections that were not disconnected.
const current = "current"

// maxFacets bounds how many systems and sites are counted apart, the most frequent first.
const maxFacets = 100

func connectionParameters() []openapi.Parameter {
	return openapi.Paging(
		openapi.TextParameter("site", "Only those of the site with this id."),
		openapi.TextParameter("system", "Only those to the system with this id."),
		openapi.OneOf("state", "Only those in this state, or `current`: all that were not disconnected.", append(texts(status.States()), current)...),
		openapi.TextParameter("q", "Only those in whose name, system (its id and its name), site's name or id all of these words are, in whatever case."),
		openapi.OneOf("order", "`urgency`: what needs attention first, by name within a state; `since`: what is in its state for the longest first; with a minus before it, the other way round. By age, if left out.", orderNames()...),
		openapi.OneOf("include", "`counts` adds how many there are, by state, system and site.", "counts"))
}

// orders give what connections are compared by.
var orders = map[string]func(s surveyed) string{
	"urgency": func(s surveyed) string { return string(rune('a'+urgency(s.state))) + folded(s.Name) },
	"since":   func(s surveyed) string { return fmt.Sprintf("%015d", s.since.UnixMilli()) },
	"name":    func(s surveyed) string { return folded(s.Name) },
	"system":  func(s surveyed) string { return folded(s.SystemName) + "\t" + folded(s.Name) },
	"site":    func(s surveyed) string { return folded(s.SiteName) + "\t" + folded(s.Name) },
	"credits": func(s surveyed) string { return fmt.Sprintf("%09d%s", s.Tier, folded(s.Name)) },
}

// orderNames lists them, each with the other way round.
func orderNames() (names []string) {
	for _, name := range []string{"urgency", "since", "name", "system", "site", "credits"} {
		names = append(names, name, "-"+name)
	}
	return names
}

// folded is a name without its case, on one line.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// urgency is the place of a state among those that need somebody.
func urgency(state status.State) int {
	return slices.Index([]status.State{
		status.ReauthRequired, status.SystemOffline, status.AgentOffline, status.Degraded, status.Throttled, status.Pending, status.Active,
		status.Paused, status.Disconnected,
	}, state)
}

// wantedConnections is a query for connections, understood.
type wantedConnections struct {
	filter  store.ConnectionFilter
	state   status.State
	current bool
	words   []string
	order   string // "": by id
	counts  bool
	limit   int
	after   []string // the key and the id of the last connection of the page before; nil: from the beginning
}

func connectionsWanted(query url.Values, limit int) (w wantedConnections, err error) {
	state := query.Get("state")
	w = wantedConnections{
		filter: store.ConnectionFilter{SiteID: query.Get("site"), System: query.Get("system")}, state: status.State(state),
		words: strings.Fields(strings.ToLower(query.Get("q"))), order: query.Get("order"), counts: query.Has("include"), limit: limit,
	}
	if state == current {
		w.state, w.current = "", true
	}
	switch include := query.Get("include"); {
	case w.state != "" && !slices.Contains(status.States(), w.state):
		return w, badParameter("state", "%s, %s", strings.Join(texts(status.States()), ", "), current)
	case w.order != "" && !slices.Contains(orderNames(), w.order):
		return w, badParameter("order", "%s", strings.Join(orderNames(), ", "))
	case w.counts && include != "counts":
		return w, badParameter("include", "counts")
	}
	if w.surveys() {
		err = w.goOn(query.Get("cursor"))
	}
	return w, err
}

// surveys tells whether every connection has to be looked at.
func (w wantedConnections) surveys() bool {
	return w.order != "" || len(w.words) > 0 || w.counts || w.current
}

// page is the page of a list in the order of ids.
func (w wantedConnections) page(cursor string) (store.Page, error) { return behind(cursor, w.limit) }

// goOn reads a cursor, which holds the order and the last connection's key and id.
func (w *wantedConnections) goOn(cursor string) error {
	if cursor == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := strings.Split(string(text), "\n")
	if err != nil || len(parts) != 3 || parts[0] != w.order {
		return badCursor()
	}
	w.after = parts[1:]
	return nil
}

// surveyed is a connection with what it is compared by.
type surveyed struct {
	*store.Connection
	state status.State
	since time.Time
	key   string
}

// survey finds a page of connections among all.
func (a *API) survey(ctx context.Context, organisation string, wanted wantedConnections) (connectionPage, error) {
	rows, err := a.store.AllConnections(ctx, organisation)
	if err != nil {
		return connectionPage{}, err
	}
	var found []surveyed
	counts := newCounts()
	for at, now := range a.status.Standings(rows) {
		s := surveyed{Connection: &rows[at], state: now.State, since: now.Since}
		counts.all(s)
		if !wanted.takes(s) {
			continue
		}
		counts.States[s.state]++
		if wanted.inState(s.state) {
			s.key = wanted.key(s)
			found = append(found, s)
		}
	}
	answer := connectionPage{list: a.cut(found, wanted)}
	if wanted.counts {
		counts.settle()
		answer.Counts = &counts.connectionCounts
	}
	return answer, nil
}

// takes tells whether a connection passes, whatever its state.
func (w wantedConnections) takes(s surveyed) bool {
	if w.filter.SiteID != "" && s.SiteID != w.filter.SiteID || w.filter.System != "" && s.System != w.filter.System {
		return false
	}
	if len(w.words) == 0 {
		return true
	}
	text := strings.ToLower(s.Name + "\n" + s.System + "\n" + s.SystemName + "\n" + s.SiteName + "\n" + s.ID)
	return !slices.ContainsFunc(w.words, func(word string) bool { return !strings.Contains(text, word) })
}

func (w wantedConnections) inState(state status.State) bool {
	return (w.state == "" || state == w.state) && !(w.current && state == status.Disconnected)
}

func (w wantedConnections) key(s surveyed) string {
	if key := orders[strings.TrimPrefix(w.order, "-")]; key != nil {
		return key(s)
	}
	return ""
}

// compare orders two connections as it is wanted.
func (w wantedConnections) compare(a, b surveyed) int {
	c := cmp.Compare(a.key, b.key)
	if c == 0 {
		c = cmp.Compare(a.ID, b.ID)
	}
	if strings.HasPrefix(w.order, "-") {
		return -c
	}
	return c
}

// cut orders what was found, and takes the page.
func (a *API) cut(found []surveyed, wanted wantedConnections) list[connectionDocument] {
	slices.SortFunc(found, wanted.compare)
	if wanted.after != nil {
		last := surveyed{key: wanted.after[0], Connection: &store.Connection{ID: wanted.after[1]}}
		at, _ := slices.BinarySearchFunc(found, last, wanted.compare)
		for at < len(found) && wanted.compare(found[at], last) <= 0 {
			at++
		}
		found = found[at:]
	}
	page := list[connectionDocument]{Data: []connectionDocument{}}
	if len(found) > wanted.limit {
		found = found[:wanted.limit]
		last := found[len(found)-1]
		next := base64.RawURLEncoding.EncodeToString([]byte(wanted.order + "\n" + last.key + "\n" + last.ID))
		page.NextCursor, page.HasMore = &next, true
	}
	for _, s := range found {
		page.Data = append(page.Data, a.show(*s.Connection))
	}
	return page
}

package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

// runsShown is how many runs of a sync the page shows.
const runsShown = 25

// syncOf is one of GET /sync-status.
type syncOf struct {
	Entity        string         `json:"entity"`
	State         string         `json:"state"`
	Enabled       bool           `json:"enabled"`
	Every         *string        `json:"every"`
	Since         *time.Time     `json:"since"`
	Incremental   *bool          `json:"incremental"`
	Records       int            `json:"records"`
	Deleted       int            `json:"deleted"`
	LastSuccessAt *time.Time     `json:"last_success_at"`
	NextRunAt     *time.Time     `json:"next_run_at"`
	LagSeconds    *int           `json:"lag_seconds"`
	Failures      int            `json:"failures"`
	Error         *fault.Problem `json:"error"`
	ErrorAt       *time.Time     `json:"error_at"`
	Run           *runOf         `json:"run"`
}

// runOf is a run that is under way.
type runOf struct {
	Kind      string     `json:"kind"`
	StartedAt *time.Time `json:"started_at"`
	runCounts
}

type runCounts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Deleted   int `json:"deleted"`
	Unchanged int `json:"unchanged"`
}

// Seen is how many records a run has met.
func (c runCounts) Seen() int { return c.Created + c.Updated + c.Deleted + c.Unchanged }

// Lag says how old what is stored may be.
func (s syncOf) Lag() string {
	if s.LagSeconds == nil {
		return "–"
	}
	return lasting(time.Duration(*s.LagSeconds) * time.Second)
}

// Busy tells whether a run is under way, or about to be.
func (s syncOf) Busy() bool { return s.State == "running" || s.State == "pending" }

// syncsPage is what is copied from the plant, and how that goes.
type syncsPage struct {
	Connection headed
	Sorted     sorting
	Syncs      []syncOf
	Entity     string // whose runs are shown; "": there is none
	Runs       []ended
	More       []string // entities that could be synced, too
}

// Busy tells whether the page has to be looked at again.
func (p syncsPage) Busy() bool { return slices.ContainsFunc(p.Syncs, syncOf.Busy) }

// Intervals are the choices of the form.
func (syncsPage) Intervals() []string { return []string{"5m", "15m", "1h", "6h", "24h"} }

// ended is a run as the log tells of its end, or of a try that failed.
type ended struct {
	event
	Kind      string
	Manual    bool
	StartedAt *time.Time
	Counts    *runCounts
}

// Took is how long it ran; "": nobody knows.
func (e ended) Took() string {
	if e.StartedAt == nil || e.At == nil || e.StartedAt.IsZero() {
		return ""
	}
	return lasting(e.At.Sub(*e.StartedAt))
}

func (v *visit) syncs() error {
	p := syncsPage{Sorted: v.sorting("entity")}
	var err error
	if p.Connection, err = v.head("syncs"); err != nil {
		return err
	}
	var all list[syncOf]
	if err := v.of(p.Connection.ID).get("/sync-status", &all); err != nil {
		return err
	}
	p.Syncs = all.Data
	order(p.Sorted, p.Syncs, map[string]func(a, b syncOf) int{
		"entity": byText(func(s syncOf) string { return s.Entity }), "state": byText(func(s syncOf) string { return s.State }),
		"records": byNumber(func(s syncOf) int { return s.Records }), "success": byTime(func(s syncOf) *time.Time { return s.LastSuccessAt }),
		"next": byTime(func(s syncOf) *time.Time { return s.NextRunAt }),
	})
	if p.Entity = v.r.URL.Query().Get("entity"); p.Entity == "" && len(p.Syncs) > 0 {
		p.Entity = p.Syncs[0].Entity
	}
	if p.Entity != "" {
		if p.Runs, err = v.runs(p.Connection.ID, p.Entity); err != nil {
			return err
		}
	}
	if p.More, err = v.syncable(p); err != nil {
		return err
	}
	v.show(http.StatusOK, "syncs", p.Connection.Name+": syncs", p)
	return nil
}

// runs are the ends of an entity's runs, the newest first: the connection's log has them.
func (v *visit) runs(id, entity string) (runs []ended, err error) {
	var found list[struct {
		event
		Data struct {
			Kind      string     `json:"kind"`
			Manual    bool       `json:"manual"`
			StartedAt *time.Time `json:"started_at"`
			Counts    *runCounts `json:"counts"`
		} `json:"data"`
	}]
	asked := url.Values{"kind": {"sync"}, "entity": {entity}, "last": {fmt.Sprint(2 * runsShown)}} // each run begins and ends
	if err := v.get("/connections/"+url.PathEscape(id)+"/events?"+asked.Encode(), &found); err != nil {
		return nil, err
	}
	slices.Reverse(found.Data)
	for _, e := range found.Data {
		if e.event.Kind != "sync.started" && len(runs) < runsShown {
			runs = append(runs, ended{e.event, e.Data.Kind, e.Data.Manual, e.Data.StartedAt, e.Data.Counts})
		}
	}
	return runs, nil
}

// syncable lists the entities that the system lists and that are not synced yet. Nothing is offered on a connection that ended.
func (v *visit) syncable(p syncsPage) (names []string, err error) {
	if p.Connection.State == "disconnected" {
		return nil, nil
	}
	var s struct {
		Entities []struct {
			Name       string   `json:"name"`
			Operations []string `json:"operations"`
		} `json:"entities"`
	}
	path := "/systems/" + url.PathEscape(p.Connection.System) + "?site=" + url.QueryEscape(p.Connection.Site)
	if err = v.get(path, &s); fault.Is(err, fault.NotFound) {
		return nil, nil // no agent offers the system any more
	}
	for _, e := range s.Entities {
		synced := slices.ContainsFunc(p.Syncs, func(s syncOf) bool { return s.Entity == e.Name })
		if !synced && slices.Contains(e.Operations, "list") {
			names = append(names, e.Name)
		}
	}
	return names, err
}

// addSync sets the schedule of an entity.
func (v *visit) addSync() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 4<<10)
	wish := map[string]any{"every": v.r.PostFormValue("every")}
	if since := v.r.PostFormValue("since"); since != "" {
		day, err := time.Parse(time.DateOnly, since)
		if err != nil {
			return fault.New(fault.InvalidRequest, "The day from which on to read is not one.").Advise("Write it as 2026-01-31, or leave it out.")
		}
		wish["since"] = day
	}
	return v.changeSyncOf(v.r.PostFormValue("entity"), http.MethodPut, wish)
}

// changeSync does one of the things that a sync's row offers.
func (v *visit) changeSync() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 4<<10)
	entity := v.r.PathValue("entity")
	switch deed := v.r.PathValue("deed"); deed {
	case "run":
		return v.changeSyncOf(entity, http.MethodPost, map[string]any{})
	case "full":
		return v.changeSyncOf(entity, http.MethodPost, map[string]any{"full": true})
	case "accept":
		return v.changeSyncOf(entity, http.MethodPost, map[string]any{"full": true, "accept_deletions": true})
	case "enable", "disable":
		wish, err := v.scheduleOf(entity, deed == "enable")
		if err != nil {
			return err
		}
		return v.changeSyncOf(entity, http.MethodPut, wish)
	}
	return fault.New(fault.NotFound, "There is no such thing to do.")
}

// scheduleOf is the schedule that a sync has, on or off.
func (v *visit) scheduleOf(entity string, enabled bool) (map[string]any, error) {
	var all list[syncOf]
	if err := v.of(v.r.PathValue("id")).get("/sync-status", &all); err != nil {
		return nil, err
	}
	wish := map[string]any{"every": "1h", "enabled": enabled}
	for _, s := range all.Data {
		if s.Entity != entity {
			continue
		}
		if s.Every != nil {
			wish["every"] = *s.Every
		}
		if s.Since != nil {
			wish["since"] = s.Since
		}
	}
	return wish, nil
}

func (v *visit) changeSyncOf(entity, method string, wish map[string]any) error {
	id := v.r.PathValue("id")
	err := v.of(id).call(method, "/syncs/"+url.PathEscape(entity), wish, nil)
	return v.then(err, "/connections/"+url.PathEscape(id)+"/syncs?entity="+url.QueryEscape(entity))
}

// lasting writes how long something lasts, in one unit.
func lasting(d time.Duration) string {
	at := time.Now().Add(-max(d, 0))
	if d < 2*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return strings.TrimSuffix(ago(&at), " ago")
}

package dashboard

import (
	"cmp"
	"fmt"
	"strings"

	"gantry/tunnel/fault"
)

// hop is one step of the way of a connection's calls.
type hop struct {
	Hop    string `json:"hop"`
	Status string `json:"status"`
	MS     int64  `json:"ms"`
	Detail string `json:"detail"`
	Advice string `json:"advice"`
	For    string `json:"for"` // whom the advice is for
	ID     string `json:"id"`
	Entity string `json:"entity"`
}

// Part names the hop's place in a list of hops, and its template.
func (h hop) Part() (id, template string) { return h.Key(), "hop" }

// Key tells hops apart.
func (h hop) Key() string { return strings.TrimSuffix("hop-"+h.Hop+"-"+h.Entity, "-") }

// roadNames are the hops for people, in their order.
var roadNames = [][2]string{
	{"client", "You"}, {"relay", "Relay"}, {"tunnel", "Tunnel to the plant"}, {"agent", "Agent"}, {"policy", "The plant's policy"},
	{"dns", "Host name"}, {"tcp", "Network"}, {"tls", "Encryption"}, {"login", "Login"},
}

// Name is the hop's for people.
func (h hop) Name() string {
	for _, known := range roadNames {
		if known[0] == h.Hop {
			return known[1]
		}
	}
	return strings.TrimSpace(strings.ToUpper(h.Hop[:min(1, len(h.Hop))]) + h.Hop[min(1, len(h.Hop)):] + " " + h.Entity)
}

// road is what lies ahead of a login: each hop that it will pass.
func road() []hop {
	var all []hop
	for _, known := range roadNames {
		all = append(all, hop{Hop: known[0], Status: "waiting"})
	}
	return all
}

// broken is the hop that a failure names.
func broken(f *fault.Error) hop {
	at := map[fault.Hop]string{
		fault.HopClient: "client", fault.HopRelay: "relay", fault.HopTunnel: "tunnel", fault.HopAgent: "agent", fault.HopPolicy: "policy",
	}[f.Hop]
	return hop{Hop: at, Status: "fail", Detail: f.Detail}
}

// Took is the hop's time.
func (h hop) Took() string { return milli(h.MS) }

// report is what an agent's doctor found: POST /sites/{id}/agents/{agent}/diagnose.
type report struct {
	Version string    `json:"version"`
	Status  string    `json:"status"`
	MS      int64     `json:"ms"`
	Results []finding `json:"results"`
}

// finding is one check of the doctor.
type finding struct {
	Check    string   `json:"check"`
	Title    string   `json:"title"`
	Status   string   `json:"status"`
	ID       string   `json:"id"`
	Finding  string   `json:"finding"`
	MS       int64    `json:"ms"`
	Evidence []string `json:"evidence"`
	Cause    string   `json:"cause"`
	Fix      string   `json:"fix"`
	For      string   `json:"for"`
}

// Part names the finding's place in a list of findings, and its template.
func (r finding) Part() (id, template string) { return r.Check, "finding" }

// Took is the check's time.
func (r finding) Took() string { return milli(r.MS) }

// Said is what was seen, in a line.
func (r finding) Said() string {
	said := strings.Join(r.Evidence, "; ")
	if r.Status == "skip" {
		return r.Cause
	}
	return cmp.Or(said, r.Cause)
}

// Worst are the results that somebody has to act on.
func (r report) Worst() []finding {
	var found []finding
	for _, one := range r.Results {
		if one.Status == "fail" || one.Status == "warn" {
			found = append(found, one)
		}
	}
	return found
}

// Broken is the hop that failed first; nil: none did.
func (d diagnosis) Broken() *hop {
	for _, h := range d.Hops {
		if h.Status == "fail" {
			return &h
		}
	}
	return nil
}

// milli writes a time that was taken.
func milli(ms int64) string {
	switch {
	case ms <= 0:
		return ""
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}

// team names whom an advice is for, so that a person knows whom to ask.
func team(name string) string {
	return cmp.Or(map[string]string{
		"plant IT": "For the plant's IT", "proxy team": "For the team of the proxy", "firewall team": "For the firewall team",
		"DBA": "For whoever looks after the system", "cloud team": "For whoever runs the relay",
	}[name], "What to do")
}

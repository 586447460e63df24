//go:build browser

package house

import (
	"syscall"
	"testing"

	"gantry/house/chromium"
)

// sight is something of the dashboard to look at.
type sight struct {
	name string
	path string          // the page's address; "": none leads there
	open func(p *person) // how a person comes to it; nil: by the address
	done func(p *person) // what is to be done before the next; nil: nothing
	once bool            // one picture of it is enough
}

// beginnings are what a relay shows where there is nothing yet.
func beginnings() []sight {
	return []sight{
		{name: "sign-in", path: "/sign-in"},
		{name: "empty", open: (*person).signIn},
		{name: "empty-sites", once: true, path: "/sites"},
		{name: "empty-webhooks", once: true, path: "/webhooks"},
		{name: "empty-credits", once: true, path: "/credits"},
		{name: "empty-systems", once: true, path: "/connect"},
		{name: "install", open: func(p *person) {
			p.tab.Go(p.url + "/sites")
			p.hand.Type("textbox", "Name of the plant", "Plant North")
			p.hand.Press("button", "Add the site")
			p.tab.Sees("heading", "Install the agent")
		}},
		{name: "empty-connections", once: true, path: "/"},
	}
}

// sights are everything that there is to see of the showcase. Those that change something come last.
func (s *showcase) sights() []sight {
	here, broken := "/connections/"+s.id, "/connections/"+s.broken
	return []sight{
		{name: "connections", path: "/"},
		{name: "connections-none", once: true, path: "/?q=no+such+thing"},
		{name: "connection", path: here},
		{name: "connection-offline", path: broken},
		{name: "connection-degraded", once: true, path: "/connections/" + s.half},
		{name: "connection-refused", once: true, path: "/connections/" + s.refused},
		{name: "connection-ended", once: true, path: "/connections/" + s.ended},
		{name: "console", path: here + "/console?entity=purchase-orders&run=list&limit=10"},
		{name: "console-record", once: true, path: here + "/console?entity=vendors&run=get&id=7"},
		{name: "console-failure", path: "/connections/" + s.half + "/console?entity=inventory&run=list"},
		{name: "console-unread", once: true, path: here + "/console"},
		{name: "capabilities", path: here + "/capabilities?entity=purchase-orders"},
		{name: "syncs", path: here + "/syncs"},
		{name: "empty-syncs", once: true, path: "/connections/" + s.half + "/syncs"},
		{name: "events", path: broken + "/events"},
		{name: "empty-events", once: true, path: broken + "/events?request_id=req_0"},
		{name: "relink", path: "/connections/" + s.refused + "/relink"},
		{name: "reconnect", once: true, path: "/connections/" + s.ended + "/reconnect"},
		{name: "disconnect", path: here + "/disconnect"},
		{name: "systems", path: "/connect?site=" + s.main},
		{name: "connect", path: "/connect/adventureworks?site=" + s.main},
		{name: "sites", path: "/sites"},
		{name: "site", path: "/sites/" + s.main},
		{name: "webhooks", path: "/webhooks"},
		{name: "webhook", path: "/webhooks/" + s.webhook},
		{name: "keys", path: "/keys"},
		{name: "credits", path: "/credits"},
		{name: "audit", path: "/audit"},
		{name: "nothing", once: true, path: "/connections/con_0"},
		{name: "connect-failed", open: s.failsToConnect},
		{name: "examined", once: true, open: func(p *person) {
			p.tab.Go(s.url + "/sites/" + s.main)
			p.hand.Press("button", "Diagnose this agent")
			p.tab.Says("Ask the plant's IT")
		}},
		{name: "diagnosis", open: func(p *person) {
			p.tab.Go(s.url + broken)
			p.hand.Press("button", "Diagnose")
			p.tab.Says("It breaks at")
		}},
		{name: "key", once: true, open: func(p *person) {
			p.tab.Go(s.url + "/keys")
			p.hand.Type("textbox", "Name", "Dashboards")
			p.hand.Press("button", "Add the key")
			p.tab.Sees("heading", "The key Dashboards")
		}},
		{name: "token", open: func(p *person) {
			p.tab.Go(s.url + here)
			p.hand.Press("button", "New token")
			p.tab.Sees("heading", "The new token")
		}},
		{name: "diagnosis-running", open: s.beginsDiagnosis, done: func(*person) { s.signal(syscall.SIGCONT) }},
	}
}

// failsToConnect logs in to a file that the plant's policy does not allow.
func (s *showcase) failsToConnect(p *person) {
	p.tab.Go(s.url + "/connect/demo-plant?site=" + s.main)
	p.hand.Type("textbox", "Database file", "/srv/plant.db")
	p.hand.Press("button", "Log in and connect")
	p.tab.Says("Nothing was kept")
}

// beginsDiagnosis diagnoses while the agent's machine is too busy to answer.
func (s *showcase) beginsDiagnosis(p *person) {
	p.tab.Go(s.url + "/connections/" + s.broken)
	p.tab.Sees("button", "Diagnose")
	s.signal(syscall.SIGSTOP)
	p.hand.Press("button", "Diagnose")
	p.tab.Sees("button", "Looking…")
	p.tab.Says("Tunnel to the plant")
}

func (s *showcase) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.holder.command.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// look shows a person each of the sights.
func (p *person) look(t *testing.T, sights []sight, each func(t *testing.T, s sight)) {
	t.Helper()
	for _, s := range sights {
		t.Run(s.name, func(t *testing.T) {
			if s.open == nil {
				p.tab.Go(p.url + s.path)
			} else {
				s.open(p)
			}
			each(t, s)
			if s.done != nil {
				s.done(p)
			}
		})
	}
}

// visitor is somebody at a relay, with a mouse.
func visitor(t *testing.T, p *plant) *person {
	t.Helper()
	tab := chromium.Open(t)
	return &person{plant: p, tab: tab, hand: chromium.Mouse{Tab: tab}}
}

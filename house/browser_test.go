//go:build browser

package house

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/connectors/demoplant"
	"gantry/house/chromium"
)

// TestBrowserRoad goes in a real browser from an empty relay to a connection's end, once with the mouse, once by the
// keyboard alone.
func TestBrowserRoad(t *testing.T) {
	for name, hand := range map[string]func(*chromium.Tab) chromium.Hand{
		"mouse":    func(b *chromium.Tab) chromium.Hand { return chromium.Mouse{Tab: b} },
		"keyboard": func(b *chromium.Tab) chromium.Hand { return chromium.Keyboard{Tab: b} },
	} {
		t.Run(name, func(t *testing.T) {
			tab := chromium.Open(t)
			p := &person{plant: openRelay(t), tab: tab, hand: hand(tab)}
			p.signIn()
			p.addSite()
			p.connectDemo()
			p.readsFirstRecord()
			p.breaks()
			p.diagnoses()
			p.disconnect()
		})
	}
}

// person is somebody who works the dashboard of a plant.
type person struct {
	*plant
	tab  *chromium.Tab
	hand chromium.Hand
	file string // of the demo plant
}

func (p *person) signIn() {
	p.t.Helper()
	p.signInAt(p.url)
	p.tab.Sees("heading", "Begin with a site")
}

func (p *person) signInAt(address string) {
	p.t.Helper()
	p.tab.Go(address)
	p.hand.Type("textbox", "Organisation key", p.admin.Token)
	p.hand.Press("button", "Sign in")
}

// addSite names a plant, takes the token from the page to the plant, and sees the page turn green.
func (p *person) addSite() {
	p.t.Helper()
	p.hand.Press("link", "Add a site")
	p.hand.Type("textbox", "Name of the plant", "Plant North")
	p.hand.Press("button", "Add the site")
	p.tab.Sees("heading", "Install the agent")
	p.write("token", p.taken(`get_[A-Za-z0-9_-]+`))
	run(p.t, "gantry-agent", "enroll", "--token-file", p.path("token"), "--config", p.path("agent.yaml"))
	p.startAgent()
	p.tab.Says("has arrived", "Round trip")
}

// taken copies from the page what was shown once.
func (p *person) taken(pattern string) string {
	p.t.Helper()
	text := regexp.MustCompile(pattern).FindString(p.tab.Text())
	if text == "" {
		p.t.Fatalf("the page shows no %s:\n%s", pattern, p.tab.Text())
	}
	return text
}

// connectDemo picks the demo plant and logs in by its form. The token that the page shows once works.
func (p *person) connectDemo() {
	p.t.Helper()
	p.file = filepath.Join(p.folder, "plant.db")
	if err := demoplant.Create(p.t.Context(), p.file); err != nil {
		p.t.Fatal(err)
	}
	p.allow("path", p.file)
	p.hand.Press("link", "Connect")
	p.hand.Press("link", "Gantry Demo Plant")
	p.hand.Type("textbox", "Name of the connection", "Paper mill")
	p.hand.Type("textbox", "Database file", p.file)
	p.hand.Press("button", "Log in and connect")
	p.tab.Sees("heading", "The new token")
	application := &Client{URL: p.url, Token: p.taken(`gct_\w+`), HTTP: p.http}
	p.expect(application, "GET", "/vendors?limit=1", nil, 200, nil)
}

// TestBrowserFollowsSignInLink follows a link that the relay's owner made: once.
func TestBrowserFollowsSignInLink(t *testing.T) {
	p := openRelay(t)
	var made struct{ Link string }
	p.relayCommand(&made, "dashboard", "link")
	tab := chromium.Open(t)
	tab.Go(made.Link)
	tab.Sees("heading", "Begin with a site")
	tab.Go(p.url + "/keys")
	tab.Says("sign-in link", "admin")
	tab.Go(made.Link)
	tab.Says("was followed before")
	if tab.Address() != p.url+"/sign-in" {
		t.Errorf("the code stays in the address: %s", tab.Address())
	}
	_, code, _ := strings.Cut(made.Link, "#")
	p.write("agent.log", "")
	p.lacks(code, map[string][]byte{})
}

// readsFirstRecord lists records in the console.
func (p *person) readsFirstRecord() {
	p.t.Helper()
	p.hand.Press("link", "See how the connection is")
	p.hand.Press("link", "Try it")
	p.hand.Press("button", "List them")
	p.tab.Sees("region", "Records")
	p.tab.Says("The same from a terminal")
}

// breaks takes a table away from the system; the page says which hop of a call fails.
func (p *person) breaks() {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+p.file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(p.t.Context(), "ALTER TABLE EQUIP RENAME TO AWAY"); err != nil {
		p.t.Fatal(err)
	}
	p.hand.Press("button", "List them")
	p.tab.Sees("list", "The way of the call")
	p.tab.Says("SYSTEM_ERROR", "EQUIP")
	p.hand.Press("link", "Overview")
}

// diagnoses has the page go the way of a call. It names the hop that is broken, and what is right.
func (p *person) diagnoses() {
	p.t.Helper()
	p.hand.Press("button", "Diagnose")
	p.tab.Says("It breaks at: Read assets", "EQUIP", "The plant's policy", "Read vendors")
	if marks := chromium.Eval[[]string](p.tab, `[...document.querySelectorAll("#diagnosis .step.fail > div > b")].map((e) => e.textContent)`); !slices.Equal(marks, []string{"Read assets"}) {
		p.t.Errorf("these hops are marked as broken: %q", marks)
	}
}

func (p *person) disconnect() {
	p.t.Helper()
	p.hand.Press("link", "Disconnect…")
	p.hand.Type("textbox", "Type Paper mill to confirm", "Paper mill")
	p.hand.Press("button", "Disconnect for ever")
	p.tab.Says("disconnected")
	if _, err := os.Stat(p.file); err != nil {
		p.t.Errorf("the plant's own file: %v", err)
	}
}

package house

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// foundConnections is what the test looks at in GET /connections.
type foundConnections struct {
	Data []struct {
		Name     string
		State    string
		Since    string `json:"state_since"`
		Message  string `json:"state_message"`
		SiteName string `json:"site_name"`
		System   string `json:"system_name"`
	}
	NextCursor *string `json:"next_cursor"`
	Counts     *struct {
		Total   int
		States  map[string]int
		Systems []struct {
			ID, Name string
			Count    int
		}
		Sites []struct{ Name string }
	}
}

func (f foundConnections) names() string {
	var names []string
	for _, c := range f.Data {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ")
}

// TestConnectionsAreFound searches, orders, counts and pages the organisation's connections.
func TestConnectionsAreFound(t *testing.T) {
	d := connected(t) // its name is plant
	ids := map[string]string{"plant": d.id}
	for _, name := range []string{"Zinc", "alloy", "Brass"} {
		login := d.login
		login.Name = name
		_, ids[name] = d.connect(login)
	}
	d.must(http.MethodPost, "/connections/"+ids["alloy"]+"/pause", nil, 200, nil)
	d.must(http.MethodPost, "/connections/"+ids["Brass"]+"/disconnect", nil, 200, nil)
	find := func(query string) (found foundConnections) {
		d.must(http.MethodGet, "/connections?"+query, nil, 200, &found)
		return found
	}
	for query, want := range map[string]string{
		"":                               "plant Zinc alloy Brass", // by age
		"order=name":                     "alloy Brass plant Zinc",
		"order=-name":                    "Zinc plant Brass alloy",
		"order=name&state=current":       "alloy plant Zinc",
		"order=urgency":                  "plant Zinc alloy Brass", // active, paused, disconnected
		"order=-since&limit=2":           "Brass alloy",
		"q=ZIN":                          "Zinc",
		"q=north+demo-plant+al":          "alloy",
		"q=gantry+demo+plant+zi":         "Zinc",
		"q=" + ids["plant"]:              "plant",
		"state=paused&order=site":        "alloy",
		"system=other&order=name":        "",
		"system=other":                   "",
		"system=demo-plant&state=paused": "alloy",
		"site=" + d.site + "&q=zinc&order=system": "Zinc",
	} {
		if got := find(query).names(); got != want {
			t.Errorf("%q gives %q, want %q", query, got, want)
		}
	}
	if paused := find("state=paused").Data[0]; paused.Since == "" || !strings.Contains(paused.Message, "paused on purpose") {
		t.Errorf("the paused connection: %+v", paused)
	}
	d.creditsPageByPage(t, "plant Zinc alloy")
	counted := find("include=counts&q=plant+north&limit=1")
	if c := counted.Counts; c == nil || c.Total != 3 || c.States["paused"] != 1 || c.States["disconnected"] != 1 || c.Systems[0].Count != 3 || c.Systems[0].Name != "Gantry Demo Plant" || c.Sites[0].Name != "Plant North" {
		t.Errorf("counts: %+v", c)
	}
	if c := counted.Data[0]; c.SiteName != "Plant North" || c.System != "Gantry Demo Plant" {
		t.Errorf("the names of site and system: %+v", c)
	}
	for _, order := range []string{"name", "-name", "urgency", "-credits"} {
		d.pagesInOrder(t, find, order)
	}
	for _, query := range []string{"order=colour", "include=all", "state=odd", "order=name&cursor=" + *find("order=-name&limit=1").NextCursor, "q=a&cursor=bm9uc2Vuc2U"} {
		d.must(http.MethodGet, "/connections?"+query, nil, 400, nil)
	}
}

// pagesInOrder reads page by page what one page has.
func (d *demoPlant) pagesInOrder(t *testing.T, find func(string) foundConnections, order string) {
	t.Helper()
	var paged []string
	for next := ""; ; {
		page := find(fmt.Sprintf("order=%s&limit=1&cursor=%s", order, url.QueryEscape(next)))
		paged = append(paged, page.names())
		if page.NextCursor == nil {
			break
		}
		next = *page.NextCursor
	}
	if want := find("order=" + order).names(); strings.Join(paged, " ") != want {
		t.Errorf("pages by %s: %v, want %s", order, paged, want)
	}
}

// creditsPageByPage reads who uses the credits, one by one: the pool is whole on every page.
func (d *demoPlant) creditsPageByPage(t *testing.T, want string) {
	t.Helper()
	var names []string
	for cursor := ""; ; {
		var page struct {
			Used int
			By   []struct{ Name string } `json:"by_connection"`
			Next *string                 `json:"next_cursor"`
			More bool                    `json:"has_more"`
		}
		d.must(http.MethodGet, "/credits?limit=1"+cursor, nil, 200, &page)
		if page.Used != 3 || len(page.By) != 1 || page.More != (page.Next != nil) || len(names) > 3 {
			t.Fatalf("a page of the credits: %+v", page)
		}
		names = append(names, page.By[0].Name)
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("the credits are used by %q, want %q", got, want)
	}
}

package dashboard

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestGrid(t *testing.T) {
	can := entityCapabilities{Fields: map[string]fieldCapability{"vendor_id": {Ref: "vendors"}}}
	about := headed{connection: connection{ID: "con_1"}}
	rows := []json.RawMessage{
		json.RawMessage(`{"id":"7","lines":[{"x":1},{"x":2}],"empty":null,"vendor_id":"a&b","amount":12.50,"_actions":["close"],"name":"` + strings.Repeat("ü", 100) + `"}`),
		json.RawMessage(`{"id":"8","tags":["a","b"],"address":{"city":"Ulm"},"active":false}`),
	}
	g, err := gridOf(rows, can, about, "purchase-orders")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.Columns, " "); got != "id name vendor_id amount active lines tags address" {
		t.Errorf("columns %s", got)
	}
	first, second := g.Rows[0], g.Rows[1]
	for at, want := range []string{"7", strings.Repeat("ü", maxCell-1) + "…", "a&b", "12.50", "", "2 in the list", "", ""} {
		if first[at].Text != want {
			t.Errorf("%s is %q, want %q", g.Columns[at], first[at].Text, want)
		}
	}
	if second[4].Text != "false" || second[6].Text != `["a","b"]` || second[7].Text != `{"city":"Ulm"}` || !second[1].Quiet {
		t.Errorf("the second: %+v", second)
	}
	if first[0].Path != "/connections/con_1/console?entity=purchase-orders&id=7&run=get#result" || first[2].Path != "/connections/con_1/console?entity=vendors&id=a%26b&run=get#result" || first[3].Path != "" {
		t.Errorf("paths: %+v", first)
	}
}

func TestGridIsBounded(t *testing.T) {
	wide := map[string]int{}
	for c := range 40 {
		wide["column_"+strings.Repeat("x", c)] = c
	}
	raw, err := json.Marshal(wide)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gridOf([]json.RawMessage{raw}, entityCapabilities{}, headed{}, "items")
	if err != nil || len(g.Columns) != maxColumns || g.Left != 40-maxColumns {
		t.Errorf("%d columns, %d left, %v", len(g.Columns), g.Left, err)
	}
	text, cut := pretty([]byte(`{"text":"` + strings.Repeat("ü", maxShown) + `"}`))
	if !cut || len(text) > maxShown || !utf8.ValidString(text) {
		t.Errorf("%d bytes, cut %v, valid %v", len(text), cut, utf8.ValidString(text))
	}
}

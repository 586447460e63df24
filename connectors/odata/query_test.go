package odata_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

func sorted(s []string) []string { slices.Sort(s); return s }

const orderV2 = `{"__metadata":{"uri":"https://elsewhere/svc/Orders('1')","etag":"W/\"7\""},"Order":"1","Note":"O'Neil","Total":"90071992547409.10",` +
	`"OrderedOn":"/Date(1774742400000)/","ChangedAt":"/Date(1774742400000+0120)/","ChangedTime":"PT13H05M00S","Handle":"0050568d-393c-1ed4-9d97-e65f0f3fcc23","Count":"9007199254740993",` +
	`"Closed":false,"Address":{"City":"Ulm"},"to_Vendor":{"Name":"Acme"}}`

// TestTypes: what version 2 writes comes out as connectors.Row has it, and is written again as its types ask.
func TestTypes(t *testing.T) {
	s := newService(t, "v2")
	s.answer("GET /svc/Orders('1')", http.StatusOK, `{"d":`+orderV2+`}`)
	s.answer("GET /svc/Orders", http.StatusOK, `{"d":{"results":[`+orderV2+`]}}`)
	conn := s.open(t, nil)
	one := step(t, "v2", `{"get":"Orders(:order)","columns":{"id":"Order","note":"Note","total":"Total","day":"OrderedOn","changed":"ChangedAt","clock":"ChangedTime",
		"handle":"Handle","count":"Count","closed":"Closed","city":"Address/City","vendor":"to_Vendor/Name"}}`).(connectors.Selective).Select([]string{"etag"})
	got, err := collect(conn.Read(t.Context(), connectors.Read{Statement: one, Vars: connectors.Vars{"order": "1"}}))
	if err != nil {
		t.Fatal(err)
	}
	day := time.UnixMilli(1774742400000).UTC()
	want := []connectors.Row{{
		"id": "1", "note": "O'Neil", "total": "90071992547409.10", "day": day, "changed": day.Add(-2 * time.Hour), "clock": "13:05:00",
		"handle": "0050568d-393c-1ed4-9d97-e65f0f3fcc23", "count": int64(9007199254740993), "closed": false, "city": "Ulm", "vendor": "Acme", "etag": `W/"7"`,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	filters := []connectors.Filter{}
	for column, v := range map[string]any{"note": "O'Neil & Söhne", "total": "12.50", "day": day, "changed": day, "clock": "13:05:00", "handle": want[0]["handle"], "count": int64(7), "closed": true, "city": nil} {
		filters = append(filters, connectors.Filter{Column: column, Op: connectors.Equal, Values: []any{v}})
	}
	slices.SortFunc(filters, func(a, b connectors.Filter) int { return cmpText(a.Column, b.Column) })
	list := step(t, "v2", `{"get":"Orders","columns":{"id":"Order","note":"Note","total":"Total","day":"OrderedOn","changed":"ChangedAt","clock":"ChangedTime",
		"handle":"Handle","count":"Count","closed":"Closed","city":"Address/City","vendor":"to_Vendor/Name"},"pages":{"by":"server"}}`)
	if _, err := collect(conn.Read(t.Context(), connectors.Read{Statement: list, Filters: filters, OrderBy: []string{"day", "id"}, Limit: 5})); err != nil {
		t.Fatal(err)
	}
	line := "GET /svc/Orders?$expand=to_Vendor&$filter=ChangedAt eq datetimeoffset'2026-03-29T00:00:00Z' and Address/City eq null and ChangedTime eq time'PT13H05M00S'" +
		" and Closed eq true and Count eq 7L and OrderedOn eq datetime'2026-03-29T00:00:00' and Handle eq guid'0050568d-393c-1ed4-9d97-e65f0f3fcc23'" +
		" and Note eq 'O''Neil & Söhne' and Total eq 12.50M&$orderby=OrderedOn,Order&$select=ChangedAt,Address,ChangedTime,Closed,Count,OrderedOn,Handle,Order,Note,Total,to_Vendor/Name&$top=5"
	if got := s.requests("GET /svc/Orders?"); got[len(got)-1].line != line {
		t.Errorf("got  %s\nwant %s", got[len(got)-1].line, line)
	}
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

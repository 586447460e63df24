package house

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// TestDefinitionsAreFollowed puts files into the site's own folder while the agent runs: an overlay changes a connected
// system at once, a faulty file takes only its own system away, and the catalogue is told.
func TestDefinitionsAreFollowed(t *testing.T) {
	folder := t.TempDir()
	d := connected(t, withAgent("definitions: "+folder+"\n"))
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(folder+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	vendor := func(field string) (any, error) {
		var page struct{ Data []map[string]any }
		answer, err := d.client.Do(t.Context(), http.MethodGet, "/vendors?limit=1", nil)
		if err != nil {
			return nil, err
		}
		if p := answer.Problem(); p != nil {
			return nil, p
		}
		if err := answer.JSON(&page); err != nil {
			return nil, err
		}
		custom, _ := page.Data[0]["custom_fields"].(map[string]any)
		return custom[field], nil
	}
	if got, err := vendor("short"); got != nil || err != nil {
		t.Fatalf("before: %v %v", got, err)
	}
	write("overlay.yaml", `apiVersion: connector/v1
metadata: {overlay: demo-plant}
entities:
  vendors:
    custom_fields: {short: {from: vend_cd, type: string}}
`)
	eventually(t, 30*time.Second, "the overlay is in force", func() error {
		got, err := vendor("short")
		if err == nil && got == nil {
			err = fmt.Errorf("the field is not there")
		}
		return err
	})
	write("faulty.yaml", "metadata: {id: faulty")
	write("second.yaml", `apiVersion: connector/v1
metadata: {id: second, version: 1.0.0, product: Second, extends: [base/sql-sqlite]}
entities:
  items:
    key: [item_no]
    operations: {list: {sql: SELECT item_no FROM item}}
`)
	eventually(t, 30*time.Second, "the catalogue has the new system", func() error {
		answer, err := d.admin.Do(t.Context(), http.MethodGet, "/systems/second?site="+d.site, nil)
		if err != nil {
			return err
		}
		if p := answer.Problem(); p != nil {
			return p
		}
		return nil
	})
	if got, err := vendor("short"); got == nil || err != nil {
		t.Errorf("beside a faulty file: %v %v", got, err)
	}
}

package records

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	r, err := Parse([]byte(`{"id":"7~1", "status":{"value":"approved","native_code":"2"}, "_actions":["close"], "n": 1.50,
		"created_at":null,"updated_at":"2026-03-01T06:30:00.123456789Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 6, 30, 0, 123456789, time.UTC)
	if r.ID != "7~1" || r.Status != "approved" || !r.UpdatedAt.Equal(at) || !r.CreatedAt.IsZero() || !r.DeletedAt.IsZero() {
		t.Errorf("%+v", r)
	}
	want := `{"id":"7~1","status":{"value":"approved","native_code":"2"},"n":1.50,"created_at":null,"updated_at":"2026-03-01T06:30:00.123456789Z"}`
	if diff := cmp.Diff(want, string(r.Document)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	same, err := Parse([]byte(want))
	if err != nil || same.Hash != r.Hash {
		t.Errorf("the same record has another hash (%v)", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing": "", "a list": `[]`, "no id": `{"a":1}`, "an empty id": `{"id":""}`, "a number": `{"id":7}`,
		"a long id": `{"id":"` + strings.Repeat("x", 600) + `"}`, "a time of another form": `{"id":"1","updated_at":"yesterday"}`,
		"cut": `{"id":"1"`, "a member twice": `{"id":"1","id":"2"}`, "a cut member": `{"id":"1","a":`,
	} {
		if r, err := Parse([]byte(raw)); err == nil {
			t.Errorf("%s: taken as %+v", name, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"1","status":{"value":"open"},"_actions":[],"updated_at":"2026-01-01T00:00:00Z","deleted_at":null,"a":{"b":[1,"2"]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw)
		if err != nil {
			return
		}
		if !json.Valid(r.Document) || r.ID == "" {
			t.Fatalf("%q becomes %q", raw, r.Document)
		}
		again, err := Parse(r.Document)
		if err != nil || again.Hash != r.Hash || again.ID != r.ID {
			t.Fatalf("%q reads otherwise the second time: %v", r.Document, err)
		}
	})
}

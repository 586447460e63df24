package calls

import (
	"net/http"
	"testing"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

func TestETags(t *testing.T) {
	for tag, want := range map[string]string{
		"2": `"2"`, "2026-03-01 06:30": `"2026-03-01%2006:30"`, `a"b%`: `"a%22b%25"`, "ä": `"%C3%A4"`, "": `""`,
	} {
		header := quoteETag(tag)
		if header != want {
			t.Errorf("%q became %s, want %s", tag, header, want)
		}
		back, err := ifMatch(http.Header{wire.HeaderIfMatch: {header}})
		if err != nil || back != tag {
			t.Errorf("%s came back as %q, %v", header, back, err)
		}
	}
	for value, want := range map[string]string{"": "", "*": "*", " * ": "*", "2": "2", ` "2" `: "2", `"50%"`: "50%"} {
		if got, err := ifMatch(http.Header{wire.HeaderIfMatch: {value}}); err != nil || got != want {
			t.Errorf("%q is %q, %v", value, got, err)
		}
	}
	for _, value := range []string{`W/"2"`, "W/2", `"1", "2"`, "1, 2", `"2`, `2"`, `"`} {
		_, err := ifMatch(http.Header{wire.HeaderIfMatch: {value}})
		if f := fault.From(err, ""); err == nil || f.Code != fault.InvalidRequest || len(f.Fields) != 1 || f.Fields[0].Name != "If-Match" {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestConditions: the engine gets the bare etag, the caller the quoted one, and a create takes no condition.
func TestConditions(t *testing.T) {
	b := newBench(t)
	if got := b.call("GET", con+"/records/items/1", "", nil).Header().Get(wire.HeaderETag); got != `"3"` {
		t.Errorf("ETag: %s", got)
	}
	header := map[string]string{wire.HeaderIfMatch: `"3"`}
	if w := b.call("PATCH", con+"/records/items/1", `{}`, header); w.Header().Get(wire.HeaderETag) != `"1"` || b.engine.writes[0].IfMatch != "3" {
		t.Errorf("%d %v, asked with %q", w.Code, w.Header(), b.engine.writes[0].IfMatch)
	}
	header[wire.HeaderIfMatch] = `W/"3"`
	for method, path := range map[string]string{"PATCH": "/records/items/1", "POST": "/records/items"} {
		if f := problem(t, b.call(method, con+path, `{}`, header)); f.Code != fault.InvalidRequest || f.Outcome != fault.NotSent {
			t.Errorf("%s: %+v", method, f)
		}
	}
	header[wire.HeaderIfMatch] = "*"
	if f := problem(t, b.call("POST", con+"/records/items", `{}`, header)); f.Code != fault.InvalidRequest || b.engine.count() != 1 {
		t.Errorf("a condition on a create: %+v", f)
	}
}

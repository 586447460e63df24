package check

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// sample is a report with one result of each kind.
func sample() Report {
	results := []Result{
		Check{Name: "host.service", Title: "Service"}.result(Pass("runs as gantry-agent since Monday, and was restarted by nobody in all this time", "pid 7"), 3*time.Millisecond),
		Check{Name: "host.clock", Title: "Clock"}.result(Warn("CHK-OVERRUN", "40 s behind the relay's").With("check", "host.clock"), 0),
		Check{Name: "network.tcp", Title: "Connection", Hop: "tunnel"}.result(
			Fail("CHK-PANIC", "relay.example.com:443 (203.0.113.7) did not answer within 10 s, and neither did any other of its addresses",
				"M\u00fcller's proxy").With("check", "network.tcp"), 1234*time.Millisecond),
		Check{Name: "network.tls", Title: "TLS", Hop: "tunnel"}.result(Skip("network.tcp failed"), 0),
	}
	return Report{Schema: Schema, Program: "gantry-agent", Version: "1.2.3", At: time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC), Status: Failed, MS: 1260, Results: results}
}

func TestText(t *testing.T) {
	for name, style := range map[string]Style{
		"report":  {},
		"verbose": {Verbose: true},
		"colour":  {Paint: func(s Status, text string) string { return "<" + string(s) + ">" + text + "</>" }},
	} {
		var b strings.Builder
		if err := WriteText(&b, sample(), style); err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/"+name+".txt", b.String())
		for line := range strings.Lines(b.String()) {
			if style.Paint == nil && len(line) > width+1 {
				t.Errorf("%s: %d columns: %s", name, len(line), line)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	raw, err := json.MarshalIndent(sample(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.json", string(raw)+"\n")
}

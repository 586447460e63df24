package dashboard

import (
	"testing"
	"time"
)

func TestCoded(t *testing.T) {
	for text, want := range map[string]string{
		"plain <b>":                         "plain &lt;b&gt;",
		"run `gantry-agent & co.`":          "run <code>gantry-agent &amp; co.</code>",
		"one ` alone":                       "one <code> alone</code>",
		"":                                  "",
		"since 2026-01-02T03:04:05Z, <now>": `<time datetime="2026-01-02T03:04:05Z" title="2026-01-02T03:04:05Z">` + ago(new(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))) + "</time>, &lt;now&gt;",
		"on 2026-99-99T03:04:05Z":           "on 2026-99-99T03:04:05Z",
	} {
		if got := string(coded(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

package dashboard

import (
	"testing"
	"time"
)

// TestTimesInTheBrowser has the script word times as the server does, on both sides of each border.
func TestTimesInTheBrowser(t *testing.T) {
	now := time.Now()
	var want []string
	var then []int64
	for _, d := range []time.Duration{500, 1500, 2500, 119_500, 120_500, 7_199_000, 7_200_500, 172_799_000, 172_801_000, 864_000_500} {
		past := now.Add(-d * time.Millisecond)
		then = append(then, past.UnixMilli())
		want = append(want, ago(&past))
	}
	got := inNode(t, `import { ago } from "./static/times.mjs";
		const [now, then] = JSON.parse(process.argv[1]);
		console.log(JSON.stringify(then.map((t) => ago(t, now))));`, []any{now.UnixMilli(), then})
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: the script says %q, the server %q", then[i], got[i], want[i])
		}
	}
}

// TestLinesInTheBrowser reads documents that come in pieces, cut anywhere.
func TestLinesInTheBrowser(t *testing.T) {
	got := inNode(t, `import { lines } from "./static/lines.mjs";
		const text = new TextEncoder().encode('{"id":"ä"}\n\n{"id":"b"}\n'), seen = [];
		for (let cut = 0; cut <= text.length; cut++) {
			const pieces = async function* () { yield text.slice(0, cut); yield text.slice(cut); };
			const ids = [];
			for await (const one of lines(pieces())) ids.push(one.id);
			seen.push(ids.join());
		}
		let cut = "whole";
		try { for await (const _ of lines((async function* () { yield text.slice(0, 5); })())); } catch { cut = "cut"; }
		console.log(JSON.stringify([...new Set(seen), cut]));`, nil)
	if len(got) != 2 || got[0] != "ä,b" || got[1] != "cut" {
		t.Errorf("read %q", got)
	}
}

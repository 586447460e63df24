package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gantry/connectors/web"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	got, err := web.Decode([]byte(`{"price": 90071992547409.91, "rows": [1, null, "a]}\""]}`))
	want := map[string]any{"price": json.Number("90071992547409.91"), "rows": []any{json.Number("1"), nil, `a]}"`}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	var wide strings.Builder
	for range 1_000_000 {
		wide.WriteString(`"c":1,`)
	}
	for name, raw := range map[string]string{
		"deep": strings.Repeat("[", 100_000), "wide": "{" + wide.String() + `"c":1}`,
		"long": "[" + strings.Repeat("0,", 3_000_000) + "0]", "open": `{"a": "b`, "two": `{} {}`, "html": "<html>", "empty": "",
	} {
		if v, err := web.Decode([]byte(raw)); err == nil {
			t.Errorf("%s: %v", name, v)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1.50,true,null,"x"]}`, `[[[`, `"\`, `{"a":1}{`, "\xff", `[1e400]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := web.Decode(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%q: what was decoded cannot be encoded: %v", raw, err)
		}
		same, err := web.Decode(again)
		if diff := cmp.Diff(v, same); err != nil || diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	})
}

package cli

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestASCII(t *testing.T) {
	var b bytes.Buffer
	text := "wait… “Müller” → 3 × 4\n"
	n, err := asciiWriter{&b}.Write([]byte(text))
	if err != nil || n != len(text) {
		t.Errorf("Write: %d, %v", n, err)
	}
	if want := "wait... \"M?ller\" -> 3 x 4\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestEscapedJSON(t *testing.T) {
	const text = `{"name":"Müller 𝄞"}`
	got := escaped(text)
	for _, r := range got {
		if r >= 0x80 {
			t.Fatalf("not ASCII: %q", got)
		}
	}
	var a, b map[string]string
	if json.Unmarshal([]byte(text), &a) != nil || json.Unmarshal([]byte(got), &b) != nil || a["name"] != b["name"] {
		t.Errorf("got %s", got)
	}
}

func TestLocale(t *testing.T) {
	for _, tt := range []struct {
		name      string
		variables map[string]string
		want      bool
	}{
		{"none is set", nil, false},
		{"C", map[string]string{"LANG": "C"}, false},
		{"C.UTF-8", map[string]string{"LANG": "C.UTF-8"}, true},
		{"utf8", map[string]string{"LC_CTYPE": "de_DE.utf8"}, true},
		{"LC_ALL wins", map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := utf8Locale(func(name string) string { return tt.variables[name] }); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

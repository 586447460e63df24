package files

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecoder reads whatever bytes in every format and encoding: it ends, and gives text.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\"\"y\"\n"), uint8(0))
	f.Add([]byte("\xef\xbb\xbfa;b\r\n1;2\r\nEND"), uint8(1))
	f.Add([]byte("0123456789\n01\n"), uint8(2))
	f.Add([]byte("<r><o a='1'><b>x</b></o></r>"), uint8(3))
	f.Add([]byte("\x8e\xb2,1\n"), uint8(4))
	f.Add([]byte("\xff\xfea\x00,\x00b\x00"), uint8(5))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), uint8(6))
	var statements []*statement
	for _, native := range []map[string]any{
		{"files": "x", "columns": map[string]any{"a": "a", "b": "b as decimal"}},
		{"files": "x", "separator": ";", "trailer": "END", "columns": map[string]any{"a": "#1 as date", "b": "#2"}, "header": false},
		{"files": "x", "format": "fixed", "columns": map[string]any{"a": map[string]any{"at": 2, "width": 3}, "b": map[string]any{"at": 5, "width": 4, "as": "integer"}}},
		{"files": "x", "format": "xml", "records": "/r/o", "columns": map[string]any{"a": "@a", "b": "b as datetime"}},
		{"files": "x", "encoding": "shift_jis", "quotes": "none", "header": false, "columns": map[string]any{"a": "#1", "b": "#2"}},
		{"files": "x", "encoding": "utf-16le", "columns": map[string]any{"a": "a", "b": "b"}},
		{"files": "x", "compression": "gzip", "skip": 1, "columns": map[string]any{"a": "a", "b": "b"}},
	} {
		s, err := compile(native)
		if err != nil {
			f.Fatal(err)
		}
		statements = append(statements, s)
	}
	f.Fuzz(func(t *testing.T, content []byte, which uint8) {
		s := statements[int(which)%len(statements)]
		l, err := s.layout.resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := newDecoder(bytes.NewReader(content), l, s.columns)
		for last := 0; err == nil; {
			var fields []string
			var line int
			if fields, line, err = d.next(); err != nil {
				break
			}
			if line < last || len(fields) != len(s.columns) {
				t.Fatalf("line %d after %d, %d fields", line, last, len(fields))
			}
			last = line
			for i, text := range fields {
				if !utf8.ValidString(text) {
					t.Fatalf("%q is no text", text)
				}
				_, _ = l.value(&s.columns[i], text) // it may be no number
			}
		}
		if bad, ok := errors.AsType[*malformed](err); !ok && !errors.Is(err, io.EOF) {
			t.Fatalf("neither the end nor what is wrong with the file: %v", err)
		} else if ok && bad.line < 1 {
			t.Fatalf("no line: %v", err)
		}
	})
}

// FuzzNumber: what is read as a number is one, in the form of a decimal string.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"1.234,50", "-0", "12-", "+7", "1'000", ",5", "1,2,3", "\u00a01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, decimal := range []byte(".,") {
			plain, err := (&layout{decimal: decimal}).number(text)
			if err != nil {
				continue
			}
			again, err := (&layout{decimal: '.'}).number(plain)
			if err != nil || again != plain {
				t.Fatalf("%q became %q, and that %q, %v", text, plain, again, err)
			}
		}
	})
}

// FuzzMatches compares the matcher with what it means.
func FuzzMatches(f *testing.F) {
	f.Add("a*b?", "axxbc")
	f.Add("***", "")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 12 || len(name) > 12 {
			return
		}
		p, n := []rune(strings.ToLower(pattern)), []rune(strings.ToLower(name))
		if got, want := matches(pattern, name), means(p, n); got != want {
			t.Fatalf("%q %q: %v", pattern, name, got)
		}
	})
}

func means(p, n []rune) bool {
	switch {
	case len(p) == 0:
		return len(n) == 0
	case p[0] == '*':
		return means(p[1:], n) || len(n) > 0 && means(p, n[1:])
	case len(n) == 0:
		return false
	}
	return (p[0] == '?' || p[0] == n[0]) && means(p[1:], n[1:])
}

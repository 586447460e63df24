package api

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// gather reads a source through lines and gives what came out and what was held back.
func gather(t testing.TB, source io.Reader) (out, tail string, err error) {
	t.Helper()
	l := newLines(source, &watchdog{first: time.NewTimer(time.Hour), idle: time.Hour, expire: func() {}})
	defer l.close(func() {})
	var all bytes.Buffer
	for b, ok := l.next(func() {}); ok; b, ok = l.next(func() {}) {
		all.Write(b.bytes())
		l.recycle(b)
	}
	last, err := l.last()
	return all.String(), string(last), err
}

func TestLines(t *testing.T) {
	long := `{"id":"` + strings.Repeat("x", 3*blockSize) + "\"}\n"
	tests := []struct{ name, in, out, tail string }{
		{"nothing", "", "", ""},
		{"rows and the end", "{\"id\":1}\n{\"id\":2}\n{\"end\":{}}\n", "{\"id\":1}\n{\"id\":2}\n", "{\"end\":{}}\n"},
		{"half a row", "{\"id\":1}\n{\"i", "{\"id\":1}\n", "{\"i"},
		{"an end that is none", "{\"end\":{}}\n{\"id\":1}\n", "{\"end\":{}}\n{\"id\":1}\n", ""},
		{"a row longer than a block", long + "{\"end\":{}}\n", long, "{\"end\":{}}\n"},
	}
	for _, test := range tests {
		for name, source := range map[string]io.Reader{
			"at once": strings.NewReader(test.in), "in bytes": iotest.OneByteReader(strings.NewReader(test.in)),
		} {
			t.Run(test.name+" "+name, func(t *testing.T) {
				out, tail, err := gather(t, source)
				if out != test.out || tail != test.tail || !errors.Is(err, io.EOF) {
					t.Errorf("%.80q, %.80q, %v", out, tail, err)
				}
			})
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"id\":1}\n{\"end\":{}}\n"))
	f.Add([]byte("\n\n{\"error\":"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, tail, err := gather(t, iotest.HalfReader(bytes.NewReader(in)))
		if out+tail != string(in) || !errors.Is(err, io.EOF) {
			t.Errorf("%q became %q and %q, %v", in, out, tail, err)
		}
		if out != "" && out[len(out)-1] != '\n' && len(out) < blockSize {
			t.Errorf("a part of a line came out: %q", out)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"site":"s","system":"x","name":"n","settings":{},"credentials":null}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		wish, err := decode[connectionWish](in)
		if err == nil {
			_ = wish.check()
		}
	})
}

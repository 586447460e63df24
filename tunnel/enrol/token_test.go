package enrol_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/tunnel/enrol"
	"gantry/tunnel/pki"
)

func token() enrol.Token {
	return enrol.Token{
		Relay: "wss://relay.example", Pin: pki.Pin{1, 2, 3}, Secret: bytes.Repeat([]byte{0xAB}, enrol.SecretSize),
		Expires: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC),
	}
}

func TestTokenRoundTrip(t *testing.T) {
	want := token()
	text := want.Encode()
	for _, written := range []string{text, "  " + text + "\n", text[:40] + "\r\n  " + text[40:]} {
		got, err := enrol.Parse(written)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestTokenCut: every cut of a token is told as a cut.
func TestTokenCut(t *testing.T) {
	text := token().Encode()
	for n := len(enrol.Prefix); n < len(text); n++ {
		if _, err := enrol.Parse(text[:n]); !errors.Is(err, enrol.ErrCut) {
			t.Errorf("%d of %d characters: %v", n, len(text), err)
		}
	}
}

// TestTokenMistyped: every change of one character is told as a mistyping.
func TestTokenMistyped(t *testing.T) {
	text := token().Encode()
	for i := len(enrol.Prefix); i < len(text)-1; i++ { // the last holds bits that stand for nothing
		for _, other := range []byte("A_*") {
			if text[i] == other {
				continue
			}
			wrong := text[:i] + string(other) + text[i+1:]
			if _, err := enrol.Parse(wrong); !errors.Is(err, enrol.ErrMistyped) {
				t.Errorf("character %d: %v", i, err)
			}
		}
	}
	for _, wrong := range []string{text + "AAAA", text + "A", text + text[4:]} {
		if _, err := enrol.Parse(wrong); !errors.Is(err, enrol.ErrMistyped) {
			t.Errorf("%d characters too many: %v", len(wrong)-len(text), err)
		}
	}
}

func TestNotToken(t *testing.T) {
	weak, nowhere, ftp := token(), token(), token()
	weak.Secret = weak.Secret[:10]
	nowhere.Relay = ""
	ftp.Relay = "ftp://relay.example"
	tests := map[string]string{
		"nothing": "", "words": "hello", "another token": "gct_abcdef", "a weak secret": weak.Encode(),
		"no relay": nowhere.Encode(), "a strange relay": ftp.Encode(),
	}
	for name, text := range tests {
		if _, err := enrol.Parse(text); !errors.Is(err, enrol.ErrNotToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenKeepsItsSecret(t *testing.T) {
	tok := token()
	tok.Secret = []byte("canary-canary-canary-canary")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, tok); strings.Contains(text, "canary") || strings.Contains(text, "99, 97") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(token().Encode())
	f.Add("get_")
	f.Add("get_AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := enrol.Parse(text)
		if err != nil {
			if !errors.Is(err, enrol.ErrCut) && !errors.Is(err, enrol.ErrMistyped) && !errors.Is(err, enrol.ErrNotToken) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		again, err := enrol.Parse(tok.Encode())
		if err != nil || !cmp.Equal(tok, again) {
			t.Errorf("does not survive a round trip: %v", err)
		}
	})
}

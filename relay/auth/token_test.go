package auth

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for _, kind := range []Kind{OrganisationKey, ConnectionToken} {
		text, hash := NewToken(kind)
		gotKind, gotHash, err := ParseToken(text)
		if err != nil || gotKind != kind || gotHash != hash || hash != sha256.Sum256([]byte(text)) {
			t.Errorf("%s: read back as %q, %v", kind, gotKind, err)
		}
	}
	one, _ := NewToken(ConnectionToken)
	two, _ := NewToken(ConnectionToken)
	if one == two {
		t.Error("two tokens are the same")
	}
}

func TestParseTokenRefuses(t *testing.T) {
	text, _ := NewToken(ConnectionToken)
	swapped := []byte(text)
	swapped[10] = 'a' + (swapped[10]+1)%26
	tests := map[string]struct {
		text string
		want error
	}{
		"nothing":           {"", ErrNoToken},
		"a stranger":        {"sk_live_0123456789", ErrNoToken},
		"an enrolment":      {"get_" + text[4:], ErrNoToken},
		"cut":               {text[:len(text)-1], ErrCut},
		"only a prefix":     {"gct_", ErrCut},
		"with something":    {text + "x", ErrCut},
		"mistyped":          {string(swapped), ErrMistyped},
		"in capitals":       {"gct_" + strings.ToUpper(text[4:]), ErrMistyped},
		"of the other kind": {"gok_" + text[4:], ErrMistyped},
		"a line break":      {text[:20] + "\n" + text[21:], ErrMistyped},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseToken(test.text); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// FuzzParseToken checks that what is taken is exactly what NewToken could have made: every token has one spelling.
func FuzzParseToken(f *testing.F) {
	text, _ := NewToken(OrganisationKey)
	f.Add(text)
	f.Add(text[:30])
	f.Add("gct_" + strings.Repeat("a", 40))
	f.Fuzz(func(t *testing.T, s string) {
		kind, _, err := ParseToken(s)
		if err != nil {
			return
		}
		raw, err := base32Lower.DecodeString(s[4:])
		if err != nil {
			t.Fatalf("%q was taken: %v", s, err)
		}
		again := string(kind) + base32Lower.EncodeToString(append(raw[:randomBytes:randomBytes], checksum(kind, raw[:randomBytes])...))
		if again != s {
			t.Errorf("%q was taken, its own spelling is %q", s, again)
		}
	})
}

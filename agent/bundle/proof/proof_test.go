package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// encoding writes a secret down, between what stands before and behind it within the same encoding.
type encoding struct {
	name   string
	encode func(before, secret, behind string) string
}

func around(encode func(string) string) func(before, secret, behind string) string {
	return func(before, secret, behind string) string { return before + encode(secret) + behind }
}

func within(encode func(string) string) func(before, secret, behind string) string {
	return func(before, secret, behind string) string { return encode(before + secret + behind) }
}

func b64(e *base64.Encoding) func(string) string {
	return func(s string) string { return e.EncodeToString([]byte(s)) }
}

func inJSON(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) }

func inXML(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func allPercent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

func wrapped(s string) string {
	text := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(text) > 20 {
		b.WriteString(text[:20] + "\r\n  ")
		text = text[20:]
	}
	return b.String() + text
}

func wide(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// encodings are written with the encoders of the standard library, not with what the scanner decodes with.
var encodings = []encoding{
	{"raw", around(strings.Clone)},
	{"base64 alone", around(b64(base64.StdEncoding))},
	{"base64, raw URL, alone", around(b64(base64.RawURLEncoding))},
	{"base64 within", within(b64(base64.StdEncoding))},
	{"base64 URL within", within(b64(base64.URLEncoding))},
	{"base64 raw within", within(b64(base64.RawStdEncoding))},
	{"base64 in lines", within(wrapped)},
	{"hex", around(func(s string) string { return hex.EncodeToString([]byte(s)) })},
	{"HEX within", within(func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) })},
	{"hex in pairs", around(func(s string) string { return fmt.Sprintf("% x", s) })},
	{"URL query", around(url.QueryEscape)},
	{"URL path", around(url.PathEscape)},
	{"URL, every letter", around(allPercent)},
	{"JSON", around(inJSON)},
	{"quoted by Go", around(func(s string) string { q := fmt.Sprintf("%q", s); return q[1 : len(q)-1] })},
	{"XML", around(inXML)},
	{"HTML", around(html.EscapeString)},
	{"UTF-16", around(wide)},
	{"bytes printed", around(func(s string) string { return fmt.Sprint([]byte(s)) })},
	{"URL in JSON", around(func(s string) string { return inJSON(url.QueryEscape(s)) })},
	{"base64 in URL", around(func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) })},
	{"JSON in base64", around(func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"password":"` + inJSON(s) + `"}`))
	})},
	{"JSON in JSON", around(func(s string) string { return inJSON(inJSON(s)) })},
	{"basic authorization", around(func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+s)) })},
}

var secrets = []string{
	"hunter2-and-more", "p@ss w:rd/?&=+%", `quo"te\back'tick`, "<xml>&amp;", "Zürich-Straße", "abcd", "50%41", strings.Repeat("long", 200),
	string([]byte{1, 2, 0xff, 0xfe, 0, 7, 9, 200, 33, 44, 55}),
}

func TestEverySecretIsFoundInEveryEncoding(t *testing.T) {
	for _, secret := range secrets {
		s := New([]Secret{{"it", []byte(secret)}, {"another", []byte("another one entirely")}})
		for _, e := range encodings {
			if len(secret) < long && strings.Contains(e.name, " in ") {
				continue // not looked for in what is decoded twice
			}
			for pad := range 5 {
				before, behind := "time=now msg=\""+strings.Repeat("x", pad), strings.Repeat("y", pad)+"\" end"
				text := []byte(e.encode(before, secret, behind))
				if !strings.ContainsRune(e.name, 'J') && bytes.ContainsFunc([]byte(secret), func(r rune) bool { return r == 0xfffd }) && !strings.HasPrefix(e.name, "base64") {
					break // bytes that are no text are written down as base64 or hex
				}
				if strings.Contains(e.name, "JSON") && strings.ContainsRune(secret, 0xfffd) {
					break
				}
				if name := s.Holds(text); name != "it" {
					t.Errorf("%q, %s, %d: not found in %q", secret, e.name, pad, text)
				}
				clean, _ := s.Redact(text)
				if name := s.Holds(clean); name != "" {
					t.Errorf("%q, %s, %d: still in %q", secret, e.name, pad, clean)
				}
			}
		}
	}
}

func TestAKeyIsFoundInPEM(t *testing.T) {
	key := make([]byte, 138)
	for i := range key {
		key[i] = byte(i*7 + 3)
	}
	pem := "-----BEGIN PRIVATE KEY-----\n" + wrapped(string(key)) + "\n-----END PRIVATE KEY-----\n"
	s := New([]Secret{{"the key", key}})
	for _, text := range []string{pem, inJSON(pem), hex.EncodeToString(key), fmt.Sprint(key)} {
		if s.Holds([]byte(text)) == "" {
			t.Errorf("not found in %q", text)
		}
	}
}

func TestShortSecretsAreCountedOnly(t *testing.T) {
	s := New([]Secret{{"a", []byte("abc")}, {"b", []byte(" xy\n")}, {"c", nil}, {"d", []byte("long enough")}, {"e", []byte("long enough")}})
	if s.Short() != 2 || s.Known() != 1 {
		t.Errorf("%d short, %d known", s.Short(), s.Known())
	}
	if s.Holds([]byte("abc xy")) != "" {
		t.Error("a short secret was found")
	}
}

func TestASecretAcrossTwoWindows(t *testing.T) {
	s := New([]Secret{{"it", []byte("a-secret-of-some-length")}})
	for _, at := range []int{window - 10, window - overlap - 10, window - overlap, 2*(window-overlap) + 5} {
		text := bytes.Repeat([]byte("."), 3*window)
		copy(text[at:], allPercent("a-secret-of-some-length"))
		found := s.Find(text)
		if len(found) != 1 || found[0].From != at || found[0].To != at+3*len("a-secret-of-some-length") {
			t.Errorf("at %d: %+v", at, found)
		}
	}
}

func TestRedactLeavesTheRest(t *testing.T) {
	s := New([]Secret{{"it", []byte("s3cr3t!")}})
	clean, n := s.Redact([]byte(`a=1 url=http://u:s3cr3t%21@h/x b="s3cr3t!" c=2`))
	if want := `a=1 url=http://u:[redacted]@h/x b="[redacted]" c=2`; string(clean) != want || n != 2 {
		t.Errorf("%d: %s", n, clean)
	}
}

func TestHabitual(t *testing.T) {
	for in, want := range map[string]string{
		`dial http://bob:p%40ss@proxy:3128: refused`: `dial http://bob:[redacted]@proxy:3128: refused`,
		`Proxy-Authorization: Basic dXNlcjpwYXNz`:    `Proxy-Authorization: Basic [redacted]`,
		`login user=x password=abc sslmode=no`:       `login user=x password=[redacted] sslmode=no`,
		`{"password": "a b", "user": "x"}`:           `{"password": [redacted], "user": "x"}`,
		`gct_AAAABBBBCCCCDDDD was refused`:           `gct_[redacted] was refused`,
		`connect 10.0.0.1:443: refused`:              `connect 10.0.0.1:443: refused`,
	} {
		if got := string(Habitual([]byte(in))); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// TestCost bounds what a scan costs: a log and two hundred secrets. It says the figure; only a scan that would
// take minutes fails.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	source := rand.New(rand.NewPCG(1, 2))
	var all []Secret
	for i := range 200 {
		all = append(all, Secret{fmt.Sprint(i), fmt.Appendf(nil, "secret-%d-%d", i, source.Uint64())})
	}
	var text bytes.Buffer
	for i := 0; text.Len() < 128<<10; i++ {
		fmt.Fprintf(&text, "time=2026-03-01T10:00:00.000Z level=INFO msg=\"call ended\" request_id=req_%x url=\"https://h/x?a=%%20b\" took=%d\n", source.Uint64(), i)
	}
	s := New(all)
	begin := time.Now()
	if name := s.Holds(text.Bytes()); name != "" {
		t.Errorf("%s was found by chance", name)
	}
	took := time.Since(begin)
	t.Logf("%d KiB in %s", text.Len()>>10, took)
	if took > 2*time.Minute {
		t.Errorf("took %s", took)
	}
}

// FuzzScanner embeds a secret in any text in any encoding: it is found, and it is gone after Redact.
func FuzzScanner(f *testing.F) {
	f.Add("a log line ", "hunter2-and-more", " and more", uint8(0))
	f.Add(`\`, `4141"xyzabcdef`, `%`, uint8(13))
	f.Add("%4", "1abcdefghij", "&#", uint8(10))
	f.Fuzz(func(t *testing.T, before, secret, behind string, which uint8) {
		e := encodings[int(which)%len(encodings)]
		secret = strings.TrimSpace(secret)
		if len(secret) < long || len(secret) > 1000 || strings.ToValidUTF8(secret, "") != secret {
			t.Skip()
		}
		if len(e.encode("", secret, "")) == 0 {
			t.Skip()
		}
		s := New([]Secret{{"it", []byte(secret)}})
		text := []byte(e.encode(before, secret, behind))
		if nested(e.name) {
			text = []byte(e.encode("", secret, "")) // what stands before may change the meaning of an encoding within another
		}
		if s.Holds(text) == "" {
			t.Fatalf("%s: not found in %q", e.name, text)
		}
		clean, _ := s.Redact(text)
		if s.Holds(clean) != "" && !strings.Contains(Gap, secret) {
			again, _ := s.Redact(clean) // a gap may join what stood around it: the archive's proof is what decides
			if s.Holds(again) != "" {
				t.Fatalf("%s: still in %q", e.name, again)
			}
		}
	})
}

func nested(name string) bool {
	return strings.Contains(name, " in ") || name == "URL, every letter" || name == "hex in pairs" || name == "bytes printed"
}

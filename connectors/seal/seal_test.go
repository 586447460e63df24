package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vector is one of testdata/vectors.json, from which other implementations are tested.
type vector struct {
	Name         string          `json:"name"`
	PrivateKey   string          `json:"private_key"` // base64url
	PublicKey    string          `json:"public_key"`
	Fingerprint  string          `json:"fingerprint"`
	Organisation string          `json:"organisation"`
	Site         string          `json:"site"`
	System       string          `json:"system"`
	Settings     json.RawMessage `json:"settings"`
	Canonical    string          `json:"canonical_settings"`
	Info         string          `json:"info"` // base64url
	Credentials  string          `json:"credentials"`
	Sealed       json.RawMessage `json:"sealed_credentials"`
}

func (v vector) place() Place { return Place{v.Organisation, v.Site, v.System, v.Settings} }

// Sealing is random, so that the vectors are made once: go test ./connectors/seal -run Vectors -write
var write = flag.Bool("write", false, "make testdata/vectors.json anew")

func TestVectors(t *testing.T) {
	if *write {
		writeVectors(t)
	}
	raw, err := os.ReadFile("testdata/vectors.json")
	must(t, err)
	var all []vector
	must(t, json.Unmarshal(raw, &all))
	if len(all) < 2 {
		t.Fatal("no vectors")
	}
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) { v.check(t) })
	}
}

func (v vector) check(t *testing.T) {
	secret, err := base64.RawURLEncoding.DecodeString(v.PrivateKey)
	must(t, err)
	key, err := ParseKey(secret)
	must(t, err)
	canonical, err := Canonical(v.Settings)
	must(t, err)
	sealed, err := Parse(v.Sealed)
	must(t, err)
	info, err := v.place().info(sealed.KeyID, sealed.Nonce)
	must(t, err)
	plain, err := key.Open(sealed, v.place())
	must(t, err)
	got := []string{key.Public().String(), key.Public().Fingerprint(), string(canonical), base64.RawURLEncoding.EncodeToString(info), string(plain)}
	want := []string{v.PublicKey, v.Fingerprint, v.Canonical, v.Info, v.Credentials}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func writeVectors(t *testing.T) {
	var all []vector
	for _, v := range []vector{
		{Name: "plain", Organisation: "org_1", Site: "sit_1", System: "demo-plant", Settings: json.RawMessage(`{"path":"/data/plant.db"}`), Credentials: `{}`},
		{Name: "members out of order, other scripts, numbers", Organisation: "org_Ω", Site: "sit_2", System: "generic-sql",
			Settings:    json.RawMessage(`{"port": 5432.0, "host": "db.plant.local", "€": "ü\u000a", "tls": true, "a": [1e21, -0, 0.000001, null]}`),
			Credentials: `{"username":"gantry","password":"pä$$ wörd"}`},
	} {
		key, err := NewKey()
		must(t, err)
		secret, err := key.Bytes()
		must(t, err)
		sealed, err := Seal(key.Public(), v.place(), []byte(v.Credentials))
		must(t, err)
		canonical, err := Canonical(v.Settings)
		must(t, err)
		info, err := v.place().info(sealed.KeyID, sealed.Nonce)
		must(t, err)
		v.PrivateKey, v.PublicKey, v.Fingerprint = base64.RawURLEncoding.EncodeToString(secret), key.Public().String(), key.Public().Fingerprint()
		v.Canonical, v.Info = string(canonical), base64.RawURLEncoding.EncodeToString(info)
		v.Sealed, err = json.Marshal(sealed)
		must(t, err)
		all = append(all, v)
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	must(t, err)
	must(t, os.WriteFile("testdata/vectors.json", append(raw, '\n'), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestBoundToItsPlace moves a sealed login elsewhere, as a hostile relay would.
func TestBoundToItsPlace(t *testing.T) {
	key, err := NewKey()
	must(t, err)
	place := Place{"org_1", "sit_1", "demo", json.RawMessage(`{"host":"db","port":5432}`)}
	sealed, err := Seal(key.Public(), place, []byte(`{"password":"x"}`))
	must(t, err)
	if _, err := key.Open(sealed, Place{"org_1", "sit_1", "demo", json.RawMessage(` { "port": 5432.0, "host": "db" } `)}); err != nil {
		t.Errorf("the same settings, otherwise written: %v", err)
	}
	for name, elsewhere := range map[string]Place{
		"another organisation": {"org_2", "sit_1", "demo", place.Settings},
		"another site":         {"org_1", "sit_2", "demo", place.Settings},
		"another system":       {"org_1", "sit_1", "evil", place.Settings},
		"another host":         {"org_1", "sit_1", "demo", json.RawMessage(`{"host":"evil","port":5432}`)},
		"one setting more":     {"org_1", "sit_1", "demo", json.RawMessage(`{"host":"db","port":5432,"tls":false}`)},
		"moved boundary":       {"org_1s", "it_1", "demo", place.Settings},
	} {
		if plain, err := key.Open(sealed, elsewhere); !errors.Is(err, ErrBroken) || plain != nil {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
	}
	other, err := NewKey()
	must(t, err)
	if _, err := other.Open(sealed, place); !errors.Is(err, ErrOtherKey) {
		t.Errorf("another agent: %v", err)
	}
	sealed.Ciphertext[0] ^= 1
	if _, err := key.Open(sealed, place); !errors.Is(err, ErrBroken) {
		t.Errorf("damaged: %v", err)
	}
}

// TestCanonical takes the examples of RFC 8785.
func TestCanonical(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", `{}`, `{}`},
		{"order of UTF-16 units, section 3.2.3", "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{"numbers, section 3.2.2.3", `[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, -0, 1e21, 123456789012345680000]`,
			`[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e+21,123456789012345680000]`},
		{"strings, section 3.2.2.2", `"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/<>&\u2028"`, "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/<>&\u2028\""},
		{"literals", `[null, true, false]`, `[null,true,false]`},
		{"nested", `{"b":{"d":1,"c":[{}]},"a":[]}`, `{"a":[],"b":{"c":[{}],"d":1}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canonical([]byte(tt.in))
			must(t, err)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, in := range map[string]string{
		"duplicate": `{"a":1,"a":2}`, "two values": `{} {}`, "cut": `{"a":`, "beyond a double": `1e999`, "empty": ``,
		"too deep": string(bytes.Repeat([]byte("["), 64)) + string(bytes.Repeat([]byte("]"), 64)),
	} {
		if got, err := Canonical([]byte(in)); err == nil {
			t.Errorf("%s: took %q", name, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{"b":1,"a":[1.5,"x",null]}`, `{"\ud800":1}`, `1e400`, `[[]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := Canonical(raw)
		if err != nil {
			return
		}
		twice, err := Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q gives %q, and that %q, %v", raw, once, twice, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	key, err := NewKey()
	if err != nil {
		f.Fatal(err)
	}
	place := Place{System: "demo"}
	sealed, err := Seal(key.Public(), place, []byte("{}"))
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(sealed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"v":1,"key_id":"","nonce":"AA","enc":"","ciphertext":""}`))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrVersion) {
				t.Errorf("foreign error %v", err)
			}
			return
		}
		if plain, err := key.Open(s, place); err == nil && string(plain) != "{}" {
			t.Errorf("forged: %q", plain)
		}
	})
}

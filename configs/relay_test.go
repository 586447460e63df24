package configs_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gantry/configs"
)

func TestRelaySampleIsTheDefault(t *testing.T) {
	got, err := configs.ParseRelay("relay.yaml", []byte(configs.RelaySample))
	if err != nil {
		t.Fatal(err)
	}
	want := configs.DefaultRelay()
	want.DataDir = got.DataDir                                                                      // absolute, since the sample names it
	want.TrustedProxies, want.Webhooks.AllowPrivate = got.TrustedProxies, got.Webhooks.AllowPrivate // empty, and none
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the sample is not the default (-default +sample):\n%s", diff)
	}
	if !filepath.IsAbs(got.DataDir) {
		t.Errorf("data_dir %q is not absolute", got.DataDir)
	}
}

func TestRelaySampleNamesEveryKey(t *testing.T) {
	for _, key := range configs.Keys(configs.Relay{}) {
		last := key[strings.LastIndexByte(key, '.')+1:]
		if !strings.Contains(configs.RelaySample, last+":") {
			t.Errorf("relay.yaml does not document %s", key)
		}
	}
}

func TestRelayProblems(t *testing.T) {
	tests := map[string]struct {
		document string
		paths    []string
		says     string
	}{
		"empty":                     {"", nil, ""},
		"public without TLS":        {"listen: 0.0.0.0:443", []string{"listen"}, "tls.cert"},
		"every address without TLS": {"listen: :443", []string{"listen"}, "tls.cert"},
		"public behind proxies":     {"listen: 0.0.0.0:80\ntrusted_proxies: [10.0.0.0/8]", nil, ""},
		"IPv6 loopback":             {"listen: '[::1]:80'", nil, ""},
		"no port":                   {"listen: localhost", []string{"listen"}, "127.0.0.1:8480"},
		"a key without certificate": {"tls:\n  key: /dev/null", []string{"tls.key"}, "Add tls.cert"},
		"missing files":             {"tls:\n  cert: /no/such\n  key: /no/such", []string{"tls.cert", "tls.key"}, "Check the path"},
		"a public URL in the clear": {"public_url: http://gantry.example.com", []string{"public_url"}, "https://"},
		"a public URL with a path":  {"public_url: https://example.com/gantry", []string{"public_url"}, "host name of its own"},
		"unknown key":               {"lisen: 127.0.0.1:1", []string{"lisen"}, "listen"},
		"several at once":           {"limits:\n  body: 1\n  burst_per_token: 0\ntrusted_proxies: [x]", []string{"limits.body", "limits.burst_per_token", "trusted_proxies[0]"}, ""},
		"unlimited drain":           {"drain_timeout: 24h", []string{"drain_timeout"}, "10m0s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := configs.ParseRelay("relay.yaml", []byte(test.document))
			var paths []string
			if problems, ok := errors.AsType[*configs.Problems](err); ok {
				for _, p := range problems.List {
					paths = append(paths, p.Path)
					if p.Line == 0 {
						t.Errorf("%s has no line", p.Path)
					}
				}
			} else if err != nil {
				t.Fatal(err)
			}
			slices.Sort(paths)
			if diff := cmp.Diff(test.paths, paths); diff != "" {
				t.Errorf("problems (-want +got):\n%s\n%v", diff, err)
			}
			if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v does not say %q", err, test.says)
			}
		})
	}
}

func FuzzParseRelay(f *testing.F) {
	f.Add([]byte(configs.RelaySample))
	f.Add([]byte("listen: 0.0.0.0:1\ntls: {cert: a}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := configs.ParseRelay("relay.yaml", data)
		if err == nil {
			return
		}
		if _, ok := errors.AsType[*configs.Problems](err); !ok {
			t.Errorf("%T is not *Problems", err)
		}
	})
}

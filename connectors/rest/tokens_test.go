//go:build systems

package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// The token server that `make systems` starts. Its tokens last thirty seconds.
const tokenServer = "http://127.0.0.1:18099"

// active asks the token server whether a request carries a token that it made and that still lasts: RFC 7662.
func active(t *testing.T, r *http.Request) bool {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	request, err := http.NewRequest(http.MethodPost, tokenServer+"/token/introspection", strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		t.Error(err)
		return false
	}
	request.SetBasicAuth("edge-agent", "Edge-secret-1")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	var said struct{ Active bool }
	return json.NewDecoder(answer.Body).Decode(&said) == nil && said.Active
}

func oauth(secret string) func(*connectors.Target) {
	return func(target *connectors.Target) {
		target.Settings["login"], target.Settings["client_id"], target.Settings["scope"] = "oauth2", "edge-agent", "po.read"
		target.Settings["token_address"] = tokenServer + "/token"
		target.Credentials = map[string]connectors.Secret{"client_secret": connectors.NewSecret(secret)}
	}
}

// TestTokensOfThirtySeconds reads pages for two minutes.
func TestTokensOfThirtySeconds(t *testing.T) {
	t.Parallel()
	const pages, pause = 62, 2 * time.Second
	tokens := map[string]bool{}
	refused := 0
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(pause) // a slow system
		if !active(t, r) {
			refused++
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		tokens[r.Header.Get("Authorization")] = true
		from := (number(r, "p")-1)*2 + 1
		fmt.Fprintf(w, `{"items":%s}`, items(from, min(from+1, 2*pages)))
	})
	conn := s.plug(t, nil, oauth("Edge-secret-1"))
	began := time.Now()
	got, err := ids(t, conn, connectors.Read{Statement: parts(t, map[string]any{"pages": map[string]any{"by": "page", "parameter": "p", "size": "n"}})})
	took := time.Since(began)
	if diff := cmp.Diff(numbers(1, 2*pages), got); err != nil || diff != "" {
		t.Errorf("%v (there is no token server? run `make systems`)\n%s", err, diff)
	}
	t.Logf("%d records in %s with %d tokens; %d requests were refused", len(got), took.Round(time.Second), len(tokens), refused)
	if took < 2*time.Minute || len(tokens) < 4 {
		t.Error("the read did not outlive its tokens")
	}
}

// TestTokensRefused: a wrong secret is tried once.
func TestTokensRefused(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[]}`) })
	conn := s.plug(t, nil, oauth("wr0ng-s3cret"))
	for range 3 {
		_, err := conn.Check(t.Context())
		f := failure(t, err)
		if f.Source["login"] != true || f.Source["code"] != "invalid_client" || strings.Contains(fmt.Sprintf("%+v %v", f, f.Source), "wr0ng") {
			t.Errorf("%+v", f)
		}
	}
	if len(s.requests) > 0 {
		t.Errorf("the system was asked without a token: %v", s.requests)
	}
}

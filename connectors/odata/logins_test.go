package odata_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

// refuse answers as a Gateway does without a login: a page, not an error of OData's.
func refuse(w http.ResponseWriter) bool {
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, "<html><title>Logon failed</title></html>")
	return false
}

// count makes a list of that many orders, which the service gives in pages of two, by its own links.
func (s *service) count(orders int) {
	s.routes["GET /svc/Orders"] = func(w http.ResponseWriter, r *http.Request) {
		from := 1
		_, _ = fmt.Sscan(r.URL.Query().Get("$skiptoken"), &from)
		var out []string
		for id := from; id < from+2 && id <= orders; id++ {
			out = append(out, fmt.Sprintf(`{"Order":"%d"}`, id))
		}
		next := ""
		if from+2 <= orders {
			next = fmt.Sprintf(`,"__next":"https://inside.example:4430/svc/Orders?$skiptoken=%d"`, from+2)
		}
		fmt.Fprintf(w, `{"d":{"results":[%s]%s}}`, strings.Join(out, ","), next)
	}
}

// ids reads the list and gives the orders' numbers, in their order.
func ids(t *testing.T, conn connectors.Conn, limit int) (string, error) {
	list := step(t, "v2", `{"get":"Orders","columns":{"id":"Order"},"pages":{"by":"server"}}`)
	rows, err := collect(conn.Read(t.Context(), connectors.Read{Statement: list, Limit: limit}))
	var out []string
	for _, row := range rows {
		out = append(out, row["id"].(string))
	}
	return strings.Join(out, " "), err
}

// hides fails where a failure, or what it has for the log, holds a secret.
func hides(t *testing.T, f *connectors.Failure, secret string) {
	t.Helper()
	if strings.Contains(fmt.Sprintf("%+v %v %v", *f, f.Err, f.Source), secret) {
		t.Errorf("the failure holds the secret: %+v", f)
	}
}

func bearer(s *service, t *testing.T, token string) connectors.Conn {
	target := s.target(t, nil)
	target.Settings["login"] = "bearer"
	target.Credentials = map[string]connectors.Secret{"token": connectors.NewSecret(token)}
	return openTarget(t, target)
}

// TestBearer: every request carries the token, those for metadata and the token against forged requests as well.
func TestBearer(t *testing.T) {
	s := newService(t, "v2")
	s.admits = func(w http.ResponseWriter, r *http.Request) bool {
		return r.Header.Get("Authorization") == "Bearer t0ken" || refuse(w)
	}
	s.count(5)
	s.guarded("POST /svc/Orders", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"d":{"Order":"6"}}`) })
	conn := bearer(s, t, "t0ken")
	if _, err := conn.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := ids(t, conn, 0); got != "1 2 3 4 5" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if effect, err := exec(t, conn, step(t, "v2", `{"post":"Orders","body":{"Note":"new"}}`), nil); err != nil || effect.Row["order"] != "6" {
		t.Errorf("%+v, %v", effect, err)
	}
	for _, one := range s.requests("") {
		if one.header.Get("Authorization") != "Bearer t0ken" {
			t.Errorf("%s carries %q", one.line, one.header.Get("Authorization"))
		}
	}
}

// TestBearerRefused: a token that is refused, at first or between two pages, is not sent again.
func TestBearerRefused(t *testing.T) {
	s := newService(t, "v2")
	s.count(5)
	left := 4 // the proof, the metadata, two pages
	s.admits = func(w http.ResponseWriter, _ *http.Request) bool {
		left--
		return left >= 0 || refuse(w)
	}
	conn := bearer(s, t, "t0ken")
	for i, want := range []string{"1 2 3 4", "", ""} {
		got, err := ids(t, conn, 0)
		if f := failure(t, err); got != want || f.Kind != connectors.Answered || f.Source["login"] != true {
			t.Errorf("read %d: %q, %+v", i, got, f)
		} else {
			hides(t, f, "t0ken")
		}
	}
	if all := s.requests(""); len(all) != 5 {
		t.Errorf("%d requests", len(all))
	}
}

// issuer is a token server of one test, RFC 6749, sections 4.4 and 5. It counts what its tokens are used for instead of looking at a clock.
type issuer struct {
	*httptest.Server
	mu     sync.Mutex
	made   int
	uses   int // of the last token
	lasts  int // uses
	forms  []url.Values
	tokens map[string]bool
}

func newIssuer(t *testing.T, lasts int) *issuer {
	i := &issuer{lasts: lasts, tokens: map[string]bool{}}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		_ = r.ParseForm()
		i.forms = append(i.forms, r.PostForm)
		w.Header().Set("Content-Type", "application/json")
		id, secret, _ := r.BasicAuth()
		if id != "edge-agent" || secret != "s3cret%2B%2F" || r.URL.Path != "/oauth/token" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"no such client"}`)
			return
		}
		i.made, i.uses = i.made+1, 0
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, i.made)
	}))
	t.Cleanup(i.Close)
	return i
}

// takes tells whether a request carries the last token, and it still lasts.
func (i *issuer) takes(r *http.Request) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	said := r.Header.Get("Authorization")
	i.tokens[said] = true
	i.uses++
	return said == fmt.Sprintf("Bearer token-%d", i.made) && i.uses <= i.lasts
}

func (i *issuer) target(s *service, t *testing.T, secret string) connectors.Target {
	target := s.target(t, nil)
	target.Settings["login"], target.Settings["client_id"], target.Settings["scope"] = "oauth2", "edge-agent", "orders.read"
	target.Settings["token_address"] = i.URL + "/oauth/token"
	target.Credentials = map[string]connectors.Secret{"client_secret": connectors.NewSecret(secret)}
	return target
}

// TestOAuth2 reads a list that outlives its tokens, of which each lasts for three requests: the page that one was refused for is read
// again with the next, and no record is lost or comes twice.
func TestOAuth2(t *testing.T) {
	s, tokens := newService(t, "v2"), newIssuer(t, 3)
	s.count(19)
	s.admits = func(w http.ResponseWriter, r *http.Request) bool { return tokens.takes(r) || refuse(w) }
	got, err := ids(t, openTarget(t, tokens.target(s, t, "s3cret+/")), 0)
	if want := "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"; got != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if tokens.made != 4 || len(s.requests("GET /svc/Orders")) != 13 { // ten pages, three of them twice
		t.Errorf("%d tokens, %d requests for pages", tokens.made, len(s.requests("GET /svc/Orders")))
	}
	want := url.Values{"grant_type": {"client_credentials"}, "scope": {"orders.read"}}
	if diff := cmp.Diff(want, tokens.forms[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOAuth2Empty: a list that is empty because the login is over is read again with a new one; one that is empty is believed.
func TestOAuth2Empty(t *testing.T) {
	s, tokens := newService(t, "v2"), newIssuer(t, 1)
	s.count(3)
	full := s.routes["GET /svc/Orders"]
	s.routes["GET /svc/Orders"] = func(w http.ResponseWriter, r *http.Request) {
		if !tokens.takes(r) {
			fmt.Fprint(w, `{"d":{"results":[]}}`)
			return
		}
		full(w, r)
	}
	s.routes["GET /svc/"] = func(w http.ResponseWriter, r *http.Request) {
		if tokens.takes(r) || refuse(w) {
			fmt.Fprint(w, `{"d":{}}`)
		}
	}
	tokens.lasts = 2
	conn := openTarget(t, tokens.target(s, t, "s3cret+/"))
	for range 3 {
		if got, err := ids(t, conn, 2); got != "1 2" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	s.count(0)
	if got, err := ids(t, conn, 0); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if tokens.made < 2 {
		t.Errorf("%d tokens", tokens.made)
	}
}

// TestOAuth2Write: a token that ends under a write is renewed, with the token against forged requests and the cookie of the old one; the
// write happens once.
func TestOAuth2Write(t *testing.T) {
	s, tokens := newService(t, "v2"), newIssuer(t, 1000)
	made := 0
	expire := s.guarded("POST /svc/Orders", func(w http.ResponseWriter, _ *http.Request) {
		made++
		fmt.Fprintf(w, `{"d":{"Order":"%d"}}`, made)
	})
	s.admits = func(w http.ResponseWriter, r *http.Request) bool { return tokens.takes(r) || refuse(w) }
	conn := openTarget(t, tokens.target(s, t, "s3cret+/"))
	for i := range 3 {
		effect, err := exec(t, conn, step(t, "v2", `{"post":"Orders","body":{"Note":"new"}}`), nil)
		if err != nil || effect.Row["order"] != fmt.Sprint(i+1) {
			t.Errorf("write %d: %+v, %v", i, effect, err)
		}
		tokens.lasts = 0 // it ends, and the session with it
		expire()
		s.admits = func(w http.ResponseWriter, r *http.Request) bool {
			ok := tokens.takes(r)
			if !ok {
				tokens.lasts = 1000
			}
			return ok || refuse(w)
		}
	}
	if made != 3 || tokens.made != 3 {
		t.Errorf("%d orders, %d tokens", made, tokens.made)
	}
}

// TestOAuth2Refused: a wrong secret is tried once, at the token server alone.
func TestOAuth2Refused(t *testing.T) {
	s, tokens := newService(t, "v2"), newIssuer(t, 3)
	conn := openTarget(t, tokens.target(s, t, "wr0ng"))
	for range 3 {
		_, err := conn.Check(t.Context())
		f := failure(t, err)
		if f.Source["login"] != true || f.Source["code"] != "invalid_client" || f.Message != "no such client" {
			t.Errorf("%+v", f)
		}
		hides(t, f, "wr0ng")
	}
	if len(tokens.forms) != 1 || len(s.requests("")) != 0 {
		t.Errorf("%d requests at the token server, %d at the service", len(tokens.forms), len(s.requests("")))
	}
}

// TestOAuth2NeverTaken: a service that takes no token at all ends the read; it does not ask for tokens for ever.
func TestOAuth2NeverTaken(t *testing.T) {
	s, tokens := newService(t, "v2"), newIssuer(t, 0)
	s.admits = func(w http.ResponseWriter, r *http.Request) bool { return tokens.takes(r) || refuse(w) }
	_, err := ids(t, openTarget(t, tokens.target(s, t, "s3cret+/")), 0)
	if f := failure(t, err); f.Source["login"] != true || tokens.made > 2 {
		t.Errorf("%d tokens, %+v", tokens.made, f)
	}
}

package dashboard

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Options are what the dashboard works with.
type Options struct {
	API    http.Handler // the public API, which answers under /api/v1
	Secret []byte       // of sessions, SecretSize bytes
	URL    string       // of the relay, as agents and browsers know it
	NewKey NewKey       // for whoever follows a sign-in link
	Logger *slog.Logger
}

// Dashboard serves the pages. It is safe for concurrent use.
type Dashboard struct {
	Options
	seals   *seals
	links   *links
	assets  *assets
	pages   pages
	handler http.Handler
}

// New makes a dashboard.
func New(o Options) (*Dashboard, error) {
	s, err := newSeals(o.Secret, strings.HasPrefix(o.URL, "https:"), time.Now)
	if err != nil {
		return nil, err
	}
	a, err := newAssets()
	if err != nil {
		return nil, err
	}
	p, err := parsePages(a)
	if err != nil {
		return nil, err
	}
	l := &links{key: o.NewKey, now: time.Now, open: map[store.Hash]openLink{}}
	d := &Dashboard{Options: o, seals: s, links: l, assets: a, pages: p}
	d.handler = http.NewCrossOriginProtection().Handler(d.routes())
	return d, nil
}

// Serves tells whether a path is one of the dashboard's.
func Serves(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "sign-in", "sign-out", "static", "connect", "connections", "sites", "webhooks", "keys", "credits", "audit":
		return true
	}
	return false
}

// ServeHTTP implements http.Handler.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // what is behind a sign-in stays there
	d.handler.ServeHTTP(w, r)
}

func (d *Dashboard) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /static/{version}/{file}", d.assets.serve)
	m.HandleFunc("GET /sign-in", d.askKey)
	m.HandleFunc("POST /sign-in", d.takeKey)
	m.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		d.seals.signIn(w, session{})
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	})
	page := func(pattern string, serve func(*visit) error) { m.HandleFunc(pattern, d.visited(serve)) }
	page("POST /sign-out/everywhere", (*visit).signOut)
	page("GET /{$}", (*visit).connections)
	page("GET /connections/{id}", (*visit).connection)
	page("GET /connections/{id}/console", (*visit).console)
	page("GET /connections/{id}/capabilities", (*visit).capabilitiesPage)
	page("GET /connections/{id}/syncs", (*visit).syncs)
	page("POST /connections/{id}/syncs", (*visit).addSync)
	page("POST /connections/{id}/syncs/{entity}/{deed}", (*visit).changeSync)
	page("GET /connections/{id}/events", (*visit).events)
	page("POST /connections/{id}/{deed}", (*visit).change)
	page("GET /connections/{id}/events/stream", (*visit).follow)
	page("GET /connections/{id}/relink", (*visit).relinkForm)
	page("POST /connections/{id}/relink", (*visit).relink)
	page("GET /connections/{id}/reconnect", (*visit).reconnectForm)
	page("POST /connections/{id}/reconnect", (*visit).reconnect)
	page("GET /connections/{id}/disconnect", (*visit).disconnectForm)
	page("POST /connections/{id}/diagnose", (*visit).diagnose)
	page("POST /sites/{id}/agents/{agent}/diagnose", (*visit).examine)
	page("GET /connect", (*visit).systems)
	page("POST /connect", (*visit).connect)
	page("GET /connect/{system}", (*visit).connectForm)
	page("GET /sites", (*visit).sites)
	page("POST /sites", (*visit).addSite)
	page("GET /sites/{id}", (*visit).site)
	page("POST /sites/{id}/enrolment-tokens", (*visit).addToken)
	page("GET /webhooks", (*visit).webhooks)
	page("POST /webhooks", (*visit).addWebhook)
	page("GET /webhooks/{id}", (*visit).webhook)
	page("POST /webhooks/{id}/{deed}", (*visit).changeWebhook)
	page("POST /webhooks/{id}/deliveries/{delivery}/resend", (*visit).resend)
	page("GET /keys", (*visit).keys)
	page("POST /keys", (*visit).addKey)
	page("POST /keys/{id}/revoke", (*visit).revokeKey)
	page("GET /credits", (*visit).credits)
	page("GET /audit", (*visit).audit)
	m.HandleFunc("/", d.visited(func(v *visit) error {
		return fault.New(fault.NotFound, "There is no such page.").Advise("Go back to the connections.")
	}))
	return m
}

// visit is one request of a person who is signed in.
type visit struct {
	*Dashboard
	caller
	session session
	key     key // that signed in
	w       http.ResponseWriter
	r       *http.Request
}

// visited makes a handler of a page: it asks for a sign-in where there is none, and shows a failure as a page.
func (d *Dashboard) visited(serve func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		begun, err := d.seals.session(r)
		if err != nil {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		v := &visit{Dashboard: d, caller: caller{api: d.API, token: begun.token, request: r}, session: begun, w: w, r: r}
		if err := v.holds(); err != nil {
			v.failed(err)
			return
		}
		if err := serve(v); err != nil {
			v.failed(err)
		}
	}
}

// holds looks whether the session still does: its key is good, and nobody signed out everywhere since.
func (v *visit) holds() error {
	if err := v.get("/key", &v.key); err != nil {
		return err
	}
	if v.key.SignOuts != v.session.signOuts {
		return fault.New(fault.AuthenticationFailed, "Somebody signed out everywhere.")
	}
	return nil
}

// signOut ends every session of the key.
func (v *visit) signOut() error {
	if err := v.call(http.MethodPost, "/key/sign-out", nil, nil); err != nil {
		return err
	}
	v.seals.signIn(v.w, session{})
	http.Redirect(v.w, v.r, "/sign-in?everywhere", http.StatusSeeOther)
	return nil
}

// failed shows what went wrong. A key that was revoked is no longer signed in.
func (v *visit) failed(err error) {
	f, ours := errors.AsType[*fault.Error](err)
	if !ours {
		v.Logger.ErrorContext(v.r.Context(), "page failed", "path", v.r.URL.Path, "error", err)
		f = fault.New(fault.Internal, "The page cannot be made.")
	}
	if f.Code == fault.AuthenticationFailed || f.Code == fault.TokenRevoked {
		v.seals.signIn(v.w, session{})
		http.Redirect(v.w, v.r, "/sign-in?ended", http.StatusSeeOther)
		return
	}
	v.show(f.Code.Spec().Status, "problem", f.Code.Spec().Title, f)
}

// askKey asks for the key.
func (d *Dashboard) askKey(w http.ResponseWriter, r *http.Request) {
	said := ""
	if r.URL.Query().Has("ended") {
		said = "The sign-in has ended: the key was revoked, somebody signed out everywhere, or it is too long ago."
	}
	if r.URL.Query().Has("everywhere") {
		said = "Every browser that was signed in with this key is signed out."
	}
	d.askAgain(w, r, http.StatusOK, said)
}

func (d *Dashboard) askAgain(w http.ResponseWriter, r *http.Request, status int, said string) {
	d.render(w, r, status, "signin", view{Title: "Sign in", Data: said})
}

// takeKey signs in whoever has a key, or the code of a sign-in link, which gets a key of its own.
func (d *Dashboard) takeKey(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	token := strings.TrimSpace(r.PostFormValue("key"))
	if strings.HasPrefix(token, string(codePrefix)) {
		var err error
		if token, err = d.links.redeem(r.Context(), token); err != nil {
			d.askAgain(w, r, http.StatusUnauthorized, refusalOf(err))
			return
		}
	}
	var got key
	if err := (caller{api: d.API, token: token, request: r}).get("/key", &got); err != nil {
		d.askAgain(w, r, http.StatusUnauthorized, refusalOf(err))
		return
	}
	d.seals.signIn(w, session{token, got.SignOuts})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refusalOf says why a key does not sign in.
func refusalOf(err error) string {
	f, ours := errors.AsType[*fault.Error](err)
	switch {
	case !ours:
		return "The key cannot be looked up now. Try again in a moment."
	case f.Code == fault.Forbidden:
		return "This is a connection's token (gct_…). Sign in with a key of the organisation (gok_…)."
	}
	return f.Detail
}

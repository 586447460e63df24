package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"gantry/configs"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
	"gantry/docs"
	"gantry/relay/api"
	"gantry/relay/auth"
	"gantry/relay/dashboard"
	"gantry/relay/hub"
	"gantry/relay/jobs"
	"gantry/relay/metrics"
	"gantry/relay/records"
	recordfile "gantry/relay/records/sqlite"
	"gantry/relay/reference"
	"gantry/relay/status"
	"gantry/relay/store"
	"gantry/relay/store/sqlite"
	"gantry/relay/syncs"
	"gantry/relay/webhooks"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/pki"
)

// Options are what a relay works with beside its configuration. Everything may be left out.
type Options struct {
	Logger   *slog.Logger
	Listener net.Listener // instead of configs.Relay.Listen
	Timings  Timings
	Version  string
}

// Timings are those that a test may shorten; zero is the usual one.
type Timings struct {
	PingEvery, PingTimeout time.Duration
}

// Relay is one node. It is used once: New, Run.
type Relay struct {
	config  configs.Relay
	options Options
	logger  *slog.Logger

	store     store.Store // through all that have to hear of its writes
	jobs      *jobs.Jobs
	webhooks  *webhooks.Dispatcher
	records   records.Store
	syncs     *syncs.Runner
	outbox    *syncs.Forwarder
	hub       *hub.Hub
	status    *status.Keeper
	acceptor  *tunnel.Acceptor
	echo      http.Handler
	api       *api.API
	metrics   *metrics.Metrics
	page      *reference.Page
	dashboard *dashboard.Dashboard
	pin       pki.Pin

	listener net.Listener // of API and tunnel, without TLS
	counts   net.Listener // of the metrics; nil: none
	proxies  []netip.Prefix
	serving  atomic.Bool
	ready    chan struct{}
	started  time.Time
}

// New opens the relay's data and its addresses; nothing is served before Run. A configuration that loads can still fail
// here: the folder is another relay's, an address is taken, a certificate cannot be read.
func New(config configs.Relay, options Options) (*Relay, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Relay{config: config, options: options, logger: options.Logger, ready: make(chan struct{}), started: time.Now()}
	if err := r.open(context.Background()); err != nil {
		r.release()
		return nil, err
	}
	return r, nil
}

// open does what New promises. What it opened before it failed, release closes.
func (r *Relay) open(ctx context.Context) error {
	if err := r.listen(); err != nil {
		return err
	}
	systems, err := describe()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	file, err := sqlite.Open(ctx, r.config.DataDir, nil)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	r.store = file
	if r.records, err = recordfile.Open(ctx, r.config.DataDir, nil); err != nil {
		return err
	}
	if r.jobs, err = jobs.Open(ctx, r.config.DataDir, r.logger); err != nil {
		return err
	}
	authority, err := loadAuthority(ctx, file)
	if err != nil {
		return err
	}
	authenticator := auth.New(file, nil)
	guard, err := webhookGuard(r.config.Webhooks)
	if err != nil {
		return err
	}
	r.webhooks = webhooks.New(webhooks.Options{Outbox: file, Queue: r.jobs, Guard: guard, Version: r.options.Version, Logger: r.logger})
	r.store = r.webhooks.Store(authenticator.Store())
	r.join(authority, authenticator, systems, guard)
	return r.face(ctx, file)
}

// face makes the pages that people see.
func (r *Relay) face(ctx context.Context, secrets store.Secrets) error {
	secret, err := secrets.Secret(ctx, "dashboard", dashboard.NewSecret)
	if err != nil {
		return fmt.Errorf("load the secret of sessions: %w", err)
	}
	r.dashboard, err = dashboard.New(dashboard.Options{API: r.api, Secret: secret, URL: r.publicURL(), NewKey: r.visitorKey, Logger: r.logger})
	return err
}

// join connects the parts.
func (r *Relay) join(authority *pki.Authority, authenticator *auth.Authenticator, systems []wire.System, guard webhooks.Guard) {
	r.pin = authority.Pin()
	r.status = status.New(status.Options{Store: r.store, Logger: r.logger})
	r.store = r.status.Guard(r.store)
	r.hub = hub.New(hub.Options{
		Register: r.store, Directory: &hub.Memory{}, Authority: authority, Listener: r.status, Node: "self", CertificateLife: r.config.CertificateLife,
		PingEvery: r.options.Timings.PingEvery, PingTimeout: r.options.Timings.PingTimeout, Logger: r.logger,
	})
	r.acceptor = &tunnel.Acceptor{
		Authority: authority, Admit: r.hub.Admit, Enrol: enrol.Handler(r.hub.Enrol), Logger: r.logger,
		Handler:   func(s *tunnel.Session) http.Handler { return r.hub.Serve(s) },
		OnSession: func(s *tunnel.Session) { r.hub.Join(s) },
	}
	r.echo = tunnel.EchoHandler()
	r.page = reference.New(docs.OpenAPI)
	r.metrics = metrics.New(metrics.Sources{Sessions: r.hub.Sessions, Traffic: r.hub.Traffic, Arrivals: r.acceptor.Arrivals, Store: r.storeUp})
	r.syncs = syncs.New(syncs.Options{
		Store: r.records, Source: &syncs.Agents{Hub: r.hub, Timeout: r.config.Limits.CallTimeout}, Hold: authenticator.Hold,
		Changed: func() { syncs.ForwardSoon(context.Background(), r.jobs) }, Stopping: r.jobs.Stopping(), Logger: r.logger,
	})
	r.outbox = &syncs.Forwarder{Outbox: r.records, Store: r.store, Stopping: r.jobs.Stopping(), Logger: r.logger}
	r.api = api.New(api.Options{
		Store: r.store, Authenticator: authenticator, Hub: r.hub, Status: r.status, Systems: systems, EnrolToken: r.enrolToken,
		Guard: guard, Limits: r.config.Limits, Meter: r.metrics, Logger: r.logger,
		Records: r.records, SyncSoon: func(ctx context.Context, key records.Key) { syncs.Soon(ctx, r.jobs, key) },
	})
}

// enrolToken writes the text of an enrolment token for this relay.
func (r *Relay) enrolToken(secret []byte, expires time.Time) string {
	return enrol.Token{Relay: r.publicURL(), Pin: r.pin, Secret: secret, Expires: expires}.Encode()
}

// publicURL is what agents call: the configured one, or the address that is listened on.
func (r *Relay) publicURL() string {
	switch {
	case r.config.PublicURL != "":
		return r.config.PublicURL
	case r.config.TLS.Cert != "":
		return "https://" + r.Addr()
	}
	return "http://" + r.Addr()
}

// loadAuthority gives the relay's own certificate authority, made at the first start.
func loadAuthority(ctx context.Context, secrets store.Secrets) (*pki.Authority, error) {
	certificate, key, err := secrets.Authority(ctx, func() ([]byte, []byte, error) {
		fresh, err := pki.NewAuthority()
		if err != nil {
			return nil, nil, err
		}
		return fresh.PEM()
	})
	if err != nil {
		return nil, fmt.Errorf("load authority: %w", err)
	}
	return pki.LoadAuthority(certificate, key)
}

// describe reads the systems that the relay itself knows.
func describe() ([]wire.System, error) {
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	systems := []wire.System{}
	for _, d := range set.Systems() {
		s := d.Describe()
		if !json.Valid(s.Login) {
			return nil, fmt.Errorf("read catalogue: the login form of %s is no JSON", s.ID)
		}
		systems = append(systems, s)
	}
	return systems, nil
}

// Addr is the address that API and tunnel are served on.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// MetricsAddr is the address that the metrics are served on; empty: they are not.
func (r *Relay) MetricsAddr() string {
	if r.counts == nil {
		return ""
	}
	return r.counts.Addr().String()
}

// Ready is closed when Run serves.
func (r *Relay) Ready() <-chan struct{} { return r.ready }

// Sentence says in one line how the relay is, after its store has answered.
func (r *Relay) Sentence(ctx context.Context) (string, error) {
	if err := r.store.Ping(ctx); err != nil {
		return "", fmt.Errorf("ask the store: %w", err)
	}
	_, agents := r.hub.Sessions()
	return fmt.Sprintf("Serves %s on %s, agents connected: %d", r.publicURL(), r.Addr(), agents), nil
}

// Store gives the store whose writes take effect on what runs: for those who administer the relay in its own process.
func (r *Relay) Store() store.Store { return r.store }

// Operator serves the API to whoever owns the relay, in its own process: see api.API.Operator.
func (r *Relay) Operator() http.Handler { return r.api.Operator() }

// storeUp asks the store within a second.
func (r *Relay) storeUp() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return r.store.Ping(ctx) == nil
}

// release closes what New opened.
func (r *Relay) release() {
	var errs []error
	for _, l := range []net.Listener{r.listener, r.counts} {
		if l != nil {
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if r.jobs != nil {
		errs = append(errs, r.jobs.Close())
	}
	if r.records != nil {
		errs = append(errs, r.records.Close())
	}
	if r.store != nil {
		errs = append(errs, r.store.Close())
	}
	if err := errors.Join(errs...); err != nil {
		r.logger.Warn("relay not closed cleanly", "error", err)
	}
}

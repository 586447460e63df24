package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"gantry/relay/dashboard"
	"gantry/relay/reference"
	"gantry/tunnel"
	"gantry/tunnel/fault"
)

// Bounds of every HTTP connection.
const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	// severe is how far net/http's own header limit lies above ours: beyond it the connection ends with the answer, below
	// it the caller may go on.
	severe = 4
)

// Run serves until ctx ends, then stops without losing a call: those under way have configs.Relay.DrainTimeout.
func (r *Relay) Run(ctx context.Context) error {
	defer r.release()
	if n, err := r.store.DropPending(ctx); err != nil {
		return fmt.Errorf("clean store: %w", err)
	} else if n > 0 {
		r.logger.Info("pending connections dropped", "count", n)
	}
	listener, err := r.secured()
	if err != nil {
		return err
	}
	if err := r.status.Start(ctx, r.hub); err != nil {
		return fmt.Errorf("know the connections: %w", err)
	}
	defer r.status.Stop()
	if err := r.jobs.Start(ctx, r.tasks(), r.sweeps()); err != nil {
		return err
	}
	calls, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	server := r.server(calls)
	counts := &http.Server{Handler: r.metrics.Handler(), ReadHeaderTimeout: headerTime, WriteTimeout: time.Minute}
	failed := make(chan error, 2)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- server.Serve(listener) })
	if r.counts != nil {
		serving.Go(func() { failed <- counts.Serve(r.counts) })
	}
	r.serving.Store(true)
	close(r.ready)
	r.logger.Info("relay serves", "address", r.Addr(), "url", r.publicURL(), "metrics", r.MetricsAddr())
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = nil
	}
	r.stop(server, cut)
	_ = counts.Close()
	serving.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// errStopping ends what is still under way when the time to drain is over.
var errStopping = fault.New(fault.Overloaded, "The relay is stopping.").Reaches(fault.ScopeOrganisation).
	Advise("Send it again: another node, or this one after its restart, answers.")

// stop is the way down: no new callers and jobs, agents told, calls and jobs finished, sessions closed. What is left after the time to drain
// is cut, with a reason.
func (r *Relay) stop(server *http.Server, cut context.CancelCauseFunc) {
	r.serving.Store(false)
	r.api.Retire()
	r.logger.Info("relay stops", "drain", r.config.DrainTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), r.config.DrainTimeout)
	defer cancel()
	var notice sync.WaitGroup
	notice.Go(func() { r.hub.Announce(ctx) })
	notice.Go(func() {
		if err := r.jobs.Stop(ctx); err != nil {
			r.logger.Warn("jobs cut by the stop", "error", err)
		}
	})
	if err := server.Shutdown(ctx); err != nil {
		r.logger.Warn("calls cut by the stop", "error", err)
		cut(errStopping)
		r.finish(server)
	}
	notice.Wait()
	if err := r.acceptor.Shutdown(ctx); err != nil {
		r.logger.Warn("sessions closed with calls under way", "error", err)
	}
	r.hub.Close(ctx)
	r.logger.Info("relay stopped")
}

// lastWords is how long calls that were cut have to say so.
const lastWords = 2 * time.Second

func (r *Relay) finish(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close() // nothing waits any longer
	}
}

// server serves API, tunnel and probes. WriteTimeout bounds what no handler bounds; streams move it as they go.
func (r *Relay) server(base context.Context) *http.Server {
	return &http.Server{
		Handler: r.addressed(seenTLS(http.HandlerFunc(r.route))), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		WriteTimeout:   r.config.Limits.CallTimeout + r.config.Limits.ClientStall + headerTime,
		MaxHeaderBytes: severe * r.config.Limits.Header, DisableGeneralOptionsHandler: true,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: withTLS,
		ErrorLog:    slog.NewLogLogger(r.logger.Handler(), slog.LevelDebug),
	}
}

// route shares the one address between its parts. It is no http.ServeMux, whose own answers are plain text.
func (r *Relay) route(w http.ResponseWriter, req *http.Request) {
	switch p := req.URL.Path; {
	case strings.HasPrefix(p, "/api/"):
		r.api.ServeHTTP(w, req)
	case p == tunnel.Path:
		r.acceptor.ServeHTTP(w, req)
	case p == tunnel.EchoPath:
		r.echo.ServeHTTP(w, req)
	case reference.Serves(p):
		r.documentation(w, req)
	case p == "/livez":
		w.WriteHeader(http.StatusNoContent)
	case p == "/readyz":
		r.readyz(w)
	case dashboard.Serves(p):
		r.dashboard.ServeHTTP(w, req)
	default:
		fault.New(fault.NotFound, "There is nothing at this path.").Advise("The API is at /api/v1, its documentation at /docs.").Write(w)
	}
}

// documentation shows the API to people.
func (r *Relay) documentation(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		fault.New(fault.MethodNotAllowed, "The documentation is there to be read.").Permits(http.MethodGet, http.MethodHead).Write(w)
		return
	}
	if err := r.page.Serve(w, req); err != nil {
		r.logger.ErrorContext(req.Context(), "documentation not shown", "error", err)
		fault.New(fault.Internal, "The documentation cannot be shown.").Write(w)
	}
}

// readyz says whether new callers should come here.
func (r *Relay) readyz(w http.ResponseWriter) {
	switch {
	case !r.serving.Load():
		errStopping.Clone().Write(w)
	case !r.storeUp():
		fault.New(fault.Overloaded, "The store cannot be read.").Reaches(fault.ScopeOrganisation).Write(w)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

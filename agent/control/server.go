package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Serve answers on the channel of stateDir until ctx ends, and has stopped every answer when it returns. The caller
// holds the state folder's lock: a socket that is already there was left by a process that died. The error is that of
// opening the channel, which the agent can live without, or that of serving.
func Serve(ctx context.Context, stateDir string, source Source, logger *slog.Logger) error {
	return serve(ctx, socket(stateDir), ours, Handler(source), logger)
}

// ServeStatus answers everybody on the host on a service's second channel, as Serve does; but for the status alone, in
// which there is nothing to keep from them. runtimeDir is the service's runtime folder; on Windows, its state folder.
func ServeStatus(ctx context.Context, runtimeDir string, source Source, logger *slog.Logger) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", status(source))
	return serve(ctx, statusSocket(runtimeDir), everybodys, mux, logger)
}

// audience is who may open a channel.
type audience int

const (
	ours       audience = iota // the service's account and administrators
	everybodys                 // on this host
)

func serve(ctx context.Context, path string, whom audience, handler http.Handler, logger *slog.Logger) error {
	listener, err := listen(path, whom)
	if err != nil {
		return fmt.Errorf("open control channel: %w", err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
		return fmt.Errorf("serve control channel: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		err = server.Close()
	}
	<-served
	return err
}

// maxQuestion bounds what is read of a request's body, in bytes.
const maxQuestion = 64 << 10

// Handler serves the source over HTTP.
func Handler(source Source) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", status(source))
	mux.HandleFunc("GET /connections", func(w http.ResponseWriter, r *http.Request) {
		all, err := source.Connections(r.Context())
		answer(w, all, err)
	})
	mux.HandleFunc("GET /writes", func(w http.ResponseWriter, r *http.Request) {
		all, err := source.Writes(r.Context())
		answer(w, all, err)
	})
	mux.HandleFunc("POST /writes/{id}/resolve", func(w http.ResponseWriter, r *http.Request) {
		happened, err := strconv.ParseBool(r.URL.Query().Get("happened"))
		if err != nil {
			answer(w, nil, errors.New("`happened` must be true or false"))
			return
		}
		write, err := source.ResolveWrite(r.Context(), r.PathValue("id"), happened)
		answer(w, write, err)
	})
	mux.HandleFunc("POST /diagnose", func(w http.ResponseWriter, r *http.Request) {
		report, err := source.Diagnose(r.Context(), r.URL.Query().Get("deep") == "true")
		answer(w, report, err)
	})
	mux.HandleFunc("POST /connections/check", func(w http.ResponseWriter, r *http.Request) {
		report, err := source.CheckConnections(r.Context(), r.URL.Query().Get("name"))
		answer(w, report, err)
	})
	mux.HandleFunc("POST /connections/discover", func(w http.ResponseWriter, r *http.Request) {
		found, err := source.Discover(r.Context(), r.URL.Query().Get("name"), r.URL.Query().Get("entity"))
		answer(w, found, err)
	})
	mux.HandleFunc("POST /connections/reset", func(w http.ResponseWriter, r *http.Request) {
		connection, err := source.ResetCircuits(r.Context(), r.URL.Query().Get("name"))
		answer(w, connection, err)
	})
	mux.HandleFunc("GET /support", func(w http.ResponseWriter, r *http.Request) {
		support, err := source.Support(r.Context())
		answer(w, support, err)
	})
	mux.HandleFunc("POST /support", func(w http.ResponseWriter, r *http.Request) {
		span, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil || span < 0 {
			answer(w, nil, errors.New("`for` must be a time"))
			return
		}
		support, err := source.LetSupportIn(r.Context(), span)
		answer(w, support, err)
	})
	mux.HandleFunc("POST /bundle", serveBundle(source))
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		reloaded, err := source.Reload(r.Context())
		answer(w, reloaded, err)
	})
	mux.HandleFunc("POST /enrol", func(w http.ResponseWriter, r *http.Request) {
		var e enrolment
		if err := json.NewDecoder(io.LimitReader(r.Body, maxQuestion)).Decode(&e); err != nil {
			answer(w, nil, fmt.Errorf("read the request: %w", err))
			return
		}
		enrolled, err := source.Enrol(r.Context(), e.Token, e.Force)
		answer(w, enrolled, err)
	})
	mux.HandleFunc("POST /unenrol", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, source.Unenrol(r.Context()))
	})
	return mux
}

func status(source Source) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := source.Status(r.Context())
		s.Schema = Schema
		answer(w, s, err)
	}
}

// answer writes what the source gave.
func answer(w http.ResponseWriter, body any, err error) {
	status := http.StatusOK
	if err != nil {
		status, body = http.StatusUnprocessableEntity, refuse(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the asker may be gone: there is nobody left to tell
}

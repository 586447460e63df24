package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"gantry/tunnel/fault"
)

// Bounds of a request.
const (
	maxRequest = 64 << 10
	callTime   = 30 * time.Second
)

// Listen opens the socket in dataDir for this account alone. The caller holds the folder's lock: a socket that is already
// there was left by a relay that died.
func Listen(dataDir string) (net.Listener, error) {
	path := socket(dataDir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open admin socket: %w", err), listener.Close())
	}
	return listener, nil
}

// Service is what a relay that serves offers to its owner.
type Service struct {
	Administration
	Status func(ctx context.Context) Status // nil: none
	// SignInLink makes a link to the pages of an organisation; nil: none.
	SignInLink func(ctx context.Context, organisation string, wish NewSignInLink) (SignInLink, error)
	API        http.Handler // the API as the relay's owner may use it (api.API.Operator); nil: none
}

// Serve answers on the listener until ctx ends, closes it, and has ended every answer when it returns.
func Serve(ctx context.Context, listener net.Listener, s Service, logger *slog.Logger) error {
	server := &http.Server{
		Handler: Handler(s, logger), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: callTime, WriteTimeout: callTime,
		IdleTimeout: callTime, MaxHeaderBytes: 16 << 10,
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve admin socket: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		err = server.Close()
	}
	<-served
	return err
}

// Handler serves a relay's owner over HTTP.
func Handler(a Service, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	if a.API != nil {
		mux.Handle("/api/", a.API)
	}
	if a.Status != nil {
		mux.Handle("GET /status", answer(logger, func(r *http.Request) (any, error) { return a.Status(r.Context()), nil }))
	}
	mux.Handle("GET /organisations", answer(logger, func(r *http.Request) (any, error) {
		return a.Organisations(r.Context())
	}))
	mux.Handle("POST /organisations", answer(logger, func(r *http.Request) (any, error) {
		wish, err := read[NewOrganisation](r)
		if err != nil {
			return nil, err
		}
		return a.CreateOrganisation(r.Context(), wish)
	}))
	mux.Handle("PUT /organisations/{organisation}/credits", answer(logger, func(r *http.Request) (any, error) {
		credits, err := read[int](r)
		if err != nil {
			return nil, err
		}
		return a.SetCredits(r.Context(), r.PathValue("organisation"), credits)
	}))
	mux.Handle("GET /organisations/{organisation}/keys", answer(logger, func(r *http.Request) (any, error) {
		return a.Keys(r.Context(), r.PathValue("organisation"))
	}))
	mux.Handle("POST /organisations/{organisation}/keys", answer(logger, func(r *http.Request) (any, error) {
		wish, err := read[NewKey](r)
		if err != nil {
			return nil, err
		}
		return a.CreateKey(r.Context(), r.PathValue("organisation"), wish)
	}))
	mux.Handle("DELETE /organisations/{organisation}/keys/{key}", answer(logger, func(r *http.Request) (any, error) {
		return a.RevokeKey(r.Context(), r.PathValue("organisation"), r.PathValue("key"))
	}))
	if a.SignInLink != nil {
		mux.Handle("POST /organisations/{organisation}/sign-in-links", answer(logger, func(r *http.Request) (any, error) {
			wish, err := read[NewSignInLink](r)
			if err != nil {
				return nil, err
			}
			return a.SignInLink(r.Context(), r.PathValue("organisation"), wish)
		}))
	}
	mux.Handle("/", answer(logger, func(*http.Request) (any, error) {
		return nil, fault.New(fault.NotFound, "This relay cannot do that.").Advise("Use a gantry-relay of the version that is running.")
	}))
	return mux
}

// read decodes a request's body.
func read[T any](r *http.Request) (T, error) {
	var wish T
	decoder := json.NewDecoder(io.LimitReader(r.Body, maxRequest))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wish); err != nil {
		return wish, fault.New(fault.InvalidRequest, "The request is not the document that it should be.").Because(err)
	}
	return wish, nil
}

// answer writes what a call gave.
func answer(logger *slog.Logger, call func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := call(r)
		if err != nil {
			problem := fault.From(err, fault.HopRelay)
			logger.Warn("administration failed", "method", r.Method, "path", r.URL.Path, "code", problem.Code, "error", problem)
			problem.Write(w)
			return
		}
		if r.Method != http.MethodGet {
			logger.Info("administration", "method", r.Method, "path", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body) // the asker may be gone: there is nobody left to tell
	})
}

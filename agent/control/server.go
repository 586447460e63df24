package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"gantry/configs"
)

// Serve answers on the channel of stateDir until ctx ends, and has stopped every answer when it returns. The caller
// holds the state folder's lock: a socket that is already there was left by a process that died. The error is that of
// opening the channel, which the agent can live without, or that of serving.
func Serve(ctx context.Context, stateDir string, source Source, logger *slog.Logger) error {
	listener, err := listen(socket(stateDir))
	if err != nil {
		return fmt.Errorf("open control channel: %w", err)
	}
	server := &http.Server{
		Handler:           Handler(source),
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

// Handler serves the source over HTTP.
func Handler(source Source) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		status, err := source.Status(r.Context())
		status.Schema = Schema
		answer(w, status, err)
	})
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
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		reloaded, err := source.Reload(r.Context())
		answer(w, reloaded, err)
	})
	return mux
}

// refusal is the body of an answer that is not 200.
type refusal struct {
	Message  string            `json:"message"`
	Problems []configs.Problem `json:"problems,omitempty"`
}

// answer writes what the source gave.
func answer(w http.ResponseWriter, body any, err error) {
	status := http.StatusOK
	if err != nil {
		status, body = http.StatusInternalServerError, refusal{Message: err.Error()}
		if problems, ok := errors.AsType[*configs.Problems](err); ok {
			status, body = http.StatusUnprocessableEntity, refusal{Message: err.Error(), Problems: problems.List}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the asker may be gone: there is nobody left to tell
}

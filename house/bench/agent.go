package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/pki"
)

// identity is an enrolled agent of the bench: a real one for the relay, with the backend's answers instead of a system.
// So every road ends in the same bytes, and the rows show the road.
type identity struct {
	certificate tls.Certificate
	token       enrol.Token
	agent       string
}

// enrolAt makes an identity with a one-time token.
func enrolAt(ctx context.Context, text string, roots *tls.Config) (identity, error) {
	token, err := enrol.Parse(text)
	if err != nil {
		return identity{}, err
	}
	key, err := pki.NewKey()
	if err != nil {
		return identity{}, err
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		return identity{}, err
	}
	dialer := &tunnel.Dialer{URL: token.Relay, Roots: roots.RootCAs, Pin: token.Pin, Logger: slog.New(slog.DiscardHandler)}
	answer, err := enrol.Call(ctx, dialer, token, enrol.Request{CSR: csr, Facts: facts(), MachineID: "bench"})
	if err != nil {
		return identity{}, err
	}
	certificate := tls.Certificate{Certificate: [][]byte{answer.Certificate}, PrivateKey: key}
	return identity{certificate: certificate, token: token, agent: answer.AgentID}, nil
}

func facts() json.RawMessage {
	return json.RawMessage(`{"version":"bench","hostname":"bench","os":"linux","arch":"amd64"}`)
}

// dial opens one session. url is the relay's own, or that of a shaper before it.
func (i identity) dial(ctx context.Context, url string, roots *tls.Config, lane tunnel.Lane) (*tunnel.Session, error) {
	dialer := &tunnel.Dialer{
		URL: url, Roots: roots.RootCAs, Pin: i.token.Pin, Handler: i.handler(), Logger: slog.New(slog.DiscardHandler),
		Identity: func() (tls.Certificate, error) { return i.certificate, nil },
	}
	return dialer.Dial(ctx, tunnel.Hello{InstanceID: "bench", MachineID: "bench", Lane: lane, Facts: facts()})
}

// handler answers the relay as an agent does, with the backend's bytes.
func (i identity) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+wire.PathPing, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, wire.Pong{AgentID: i.agent, InstanceID: "bench"})
	})
	mux.HandleFunc("GET "+wire.PathCatalogue, func(w http.ResponseWriter, _ *http.Request) { reply(w, catalogue()) })
	mux.HandleFunc("POST "+wire.PathReconcile, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("PUT "+wire.PathConnection, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, wire.Opened{System: system, Version: "1.0.0"})
	})
	mux.HandleFunc("GET "+wire.PathRecord, func(w http.ResponseWriter, _ *http.Request) { writeRecord(w) })
	mux.HandleFunc("GET "+wire.PathRecords, func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
		if err != nil {
			http.Error(w, "bytes: a number, please", http.StatusBadRequest)
			return
		}
		writeBulk(w, size)
	})
	return mux
}

const system = "bench"

// catalogue publishes the one system of the bench.
func catalogue() wire.Catalogue {
	return wire.Catalogue{Systems: []wire.System{{
		ID: system, Version: "1.0.0", Product: "Bench", Tier: 1, Proved: "real", Driver: "bench",
		Login:    json.RawMessage(`{"type":"object","properties":{}}`),
		Entities: []wire.SystemEntity{{Name: "purchase-orders", Operations: []string{"list", "get"}}},
	}}}
}

func reply(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}

// post makes a call of the public API and decodes its answer.
func post(ctx context.Context, client *http.Client, url, token string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r := get(ctx, url, token)
	r.Method, r.Body, r.ContentLength = http.MethodPost, readCloser(raw), int64(len(raw))
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST %s: %s", url, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gantry/configs"
	"gantry/relay"
	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel"
)

// station is a whole relay with one agent of the bench, and the token of one connection.
type station struct {
	url   string // of the relay: https, or http where the outer TLS ends elsewhere
	token string
	admin string
	site  string
	agent identity
}

// openStation starts a relay in this process. link puts a shaper between relay and agent; outer says whether the
// websocket runs over TLS of the web, in addition to the tunnel's own.
func openStation(ctx context.Context, l *lab, outer bool, link func(address string) string) (*station, error) {
	running, err := l.startRelay(outer)
	if err != nil {
		return nil, err
	}
	s := &station{url: scheme(outer) + "://" + running.Addr()}
	if s.admin, err = organisation(ctx, running.Store()); err != nil {
		return nil, err
	}
	var site struct {
		ID    string `json:"id"`
		Token string `json:"enrolment_token"`
	}
	client := newClient(l.clientTLS())
	if err := post(ctx, client, s.url+"/api/v1/sites", s.admin, map[string]string{"name": "bench"}, &site); err != nil {
		return nil, err
	}
	s.site = site.ID
	if s.agent, err = enrolAt(ctx, site.Token, l.clientTLS()); err != nil {
		return nil, err
	}
	through := scheme(outer) + "://" + link(running.Addr())
	for _, lane := range []tunnel.Lane{tunnel.LaneCalls, tunnel.LaneBulk} {
		session, err := s.agent.dial(ctx, through, l.clientTLS(), lane)
		if err != nil {
			return nil, err
		}
		l.closers = append(l.closers, func() { session.Close("the bench is over") })
	}
	return s, s.connect(ctx, client)
}

// connect makes the one connection, as soon as the relay has met the agent.
func (s *station) connect(ctx context.Context, client *http.Client) error {
	var made struct{ Token string }
	body := map[string]any{"site": s.site, "system": system, "name": "bench", "settings": map[string]any{}, "credentials": map[string]any{}}
	var err error
	for range 100 {
		if err = post(ctx, client, s.url+"/api/v1/connections", s.admin, body, &made); err == nil {
			s.token = made.Token
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// road is the public API in front of the station.
func (s *station) road(l *lab) *road {
	base := s.url + "/api/v1/purchase-orders"
	return &road{
		name: "gantry", client: newClient(l.clientTLS()),
		small: func(ctx context.Context) *http.Request { return get(ctx, base+"/4012", s.token) },
		bulk: func(ctx context.Context, size int64) *http.Request {
			r := get(ctx, fmt.Sprintf("%s?bytes=%d", base, size), s.token)
			r.Header.Set("Accept", "application/x-ndjson")
			return r
		},
	}
}

// startRelay runs a relay until the lab closes, with limits that the bench does not meet.
func (l *lab) startRelay(outer bool) (*relay.Relay, error) {
	folder, err := os.MkdirTemp("", "gantry-bench-")
	if err != nil {
		return nil, err
	}
	config := configs.DefaultRelay()
	config.DataDir, config.MetricsListen = filepath.Join(folder, "data"), ""
	config.Limits.RatePerToken, config.Limits.BurstPerToken = 1_000_000, 1_000_000
	config.Limits.CallsPerConnection, config.Limits.StreamsPerConnection = 256, 64
	if outer {
		if config.TLS, err = l.files(folder); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config.PublicURL = scheme(outer) + "://" + listener.Addr().String()
	running, err := relay.New(config, relay.Options{Logger: slog.New(slog.DiscardHandler), Listener: listener})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- running.Run(ctx) }()
	l.closers = append(l.closers, func() { cancel(); <-done; _ = os.RemoveAll(folder) })
	<-running.Ready()
	return running, nil
}

// organisation makes one with a key of its own, and gives the key.
func organisation(ctx context.Context, s store.Store) (string, error) {
	o, err := s.CreateOrganisation(ctx, "bench", 100)
	if err != nil {
		return "", err
	}
	text, hash := auth.NewToken(auth.OrganisationKey)
	_, err = s.CreateKey(ctx, store.NewKey{OrganisationID: o.ID, Name: "bench", Role: store.Admin, Hash: hash})
	return text, err
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

func straight(address string) string { return address }

func readCloser(raw []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(raw)) }

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"gantry/tunnel"
)

// sessionRows: what an idle session holds, and what a handshake costs, at a relay with both TLS layers.
func sessionRows(ctx context.Context, l *lab, e effort) ([]row, error) {
	relay, err := l.startChild(e.profiles)
	if err != nil {
		return nil, err
	}
	agents, err := enrolMany(ctx, l, relay, e.agents)
	if err != nil {
		return nil, err
	}
	before, err := relay.resident()
	if err != nil {
		return nil, err
	}
	used, err := relay.cpu()
	if err != nil {
		return nil, err
	}
	sessions := make([]*tunnel.Session, len(agents))
	var dialling errgroup.Group
	dialling.SetLimit(4)
	for i, agent := range agents {
		dialling.Go(func() (err error) {
			sessions[i], err = agent.dial(ctx, relay.URL, l.clientTLS(), tunnel.LaneCalls)
			return err
		})
	}
	if err := dialling.Wait(); err != nil {
		return nil, err
	}
	after, err := relay.cpu()
	if err != nil {
		return nil, err
	}
	time.Sleep(12 * time.Second) // a round of pings: what is needed to keep them is part of the figure
	idle, err := relay.resident()
	if err != nil {
		return nil, err
	}
	for _, s := range sessions {
		s.Close("the bench is over")
	}
	n := float64(len(agents))
	return []row{
		{
			name: fmt.Sprintf("idle session at the relay, both TLS layers, %d agents", len(agents)), unit: "KiB",
			values: map[string]float64{"gantry": (idle - before) / n / 1024}, goal: "≤ 96 KiB",
			met: func(v map[string]float64) bool { return v["gantry"] <= 96 },
		},
		{
			name: "handshakes per core of the relay, both TLS layers", unit: "/s",
			values: map[string]float64{"gantry": n / (after - used).Seconds()}, goal: "≥ 400 /s",
			met: func(v map[string]float64) bool { return v["gantry"] >= 400 },
		},
	}, nil
}

// enrolMany makes n agents, each with a token of its own, as n installations would.
func enrolMany(ctx context.Context, l *lab, relay *child, n int) ([]identity, error) {
	client := newClient(l.clientTLS())
	var site struct{ ID string }
	if err := post(ctx, client, relay.URL+"/api/v1/sites", relay.Admin, map[string]string{"name": "many"}, &site); err != nil {
		return nil, err
	}
	agents := make([]identity, n)
	var enrolling errgroup.Group
	enrolling.SetLimit(4)
	for i := range agents {
		enrolling.Go(func() error {
			var made struct {
				Token string `json:"enrolment_token"`
			}
			err := post(ctx, client, relay.URL+"/api/v1/sites/"+site.ID+"/enrolment-tokens", relay.Admin, map[string]any{}, &made)
			if err != nil {
				return err
			}
			agents[i], err = enrolAt(ctx, made.Token, l.clientTLS())
			return err
		})
	}
	return agents, enrolling.Wait()
}

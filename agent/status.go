package agent

import (
	"context"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"slices"
	"time"

	"gantry/agent/control"
	"gantry/agent/links"
	"gantry/agent/proxy"
	"gantry/configs"
)

var _ control.Source = (*Agent)(nil)

// Status implements control.Source.
func (a *Agent) Status(ctx context.Context) (control.Status, error) {
	l := a.loaded.Load()
	s := control.Status{
		State: control.NotEnrolled, Version: a.opts.Version, PID: os.Getpid(),
		StateDir: a.config.StateDir, ConfigFile: a.opts.ConfigFile, Problem: l.problem, RefusesAll: a.opts.Problem != "" && l.problem != "",
		Goroutines: runtime.NumGoroutine(), OpenFiles: openFiles(),
		Policy: control.Policy{
			Targets: len(l.config.Policy.Targets), Paths: len(l.config.Policy.Paths), Writes: l.config.Policy.Writes, LoadedAt: l.at,
		},
	}
	r := a.running.Load()
	if r == nil {
		if problem := a.tokenProblem.Load(); problem != nil {
			s.EnrolmentProblem = *problem
		}
		return s, nil
	}
	s.StartedAt = r.started
	s.Identity = &control.Identity{
		Agent: r.identity.Agent, Site: r.identity.Site, Organisation: r.identity.Organisation, EnrolledAt: r.identity.EnrolledAt,
		CertificateExpiresAt: r.identity.expires(), SealingKey: r.identity.sealing.Public().Fingerprint(),
	}
	s.Relay = a.relayStatus(r.identity.Relay)
	all := r.links.Snapshot()
	for _, one := range all {
		s.Sessions = append(s.Sessions, sessionStatus(one))
	}
	s.State = overall(all, r.draining.Load())
	var err error
	if s.Connections, err = a.Connections(ctx); err != nil {
		return s, err
	}
	s.UnresolvedWrites, err = r.journal.CountUnresolved(ctx)
	return s, err
}

func sessionStatus(l links.Status) control.Session {
	s := control.Session{
		Lane: string(lane(l.Slot)), State: string(l.State), Since: l.Since, RoundTripMS: float64(l.RoundTrip) / float64(time.Millisecond),
		Attempts: l.Attempts, NextTryAt: l.NextTry, LastError: l.LastError,
	}
	if l.Refusal != nil {
		s.Refusal, s.LastError = l.Refusal.Code, l.Refusal.Message
	}
	return s
}

// overall is the agent in one word.
func overall(all []links.Status, draining bool) control.State {
	connected, refused := 0, 0
	for _, s := range all {
		switch s.State {
		case links.Connected:
			connected++
		case links.Refused:
			refused++
		}
	}
	switch {
	case draining:
		return control.Draining
	case connected == len(all):
		return control.Connected
	case connected > 0:
		return control.Degraded
	case refused > 0:
		return control.Refused
	}
	return control.Connecting
}

// theService is what this process is to a person who asks where its proxy is set.
const theService = "the service"

// relayStatus tells where the agent dials and through what, without a login.
func (a *Agent) relayStatus(relay string) control.Relay {
	s := control.Relay{URL: relay}
	target, err := url.Parse(relay)
	if err != nil {
		return s
	}
	places, err := proxy.Here(configs.Proxy{URL: a.config.Proxy.URL, NoProxy: a.config.Proxy.NoProxy}, theService)
	if err != nil {
		return s
	}
	route, err := places.Route(target)
	s.Proxy, s.ProxyOrigin, s.ProxyProblem = route.Address(), route.Origin, route.Problem
	if err != nil {
		s.ProxyProblem = err.Error()
	}
	return s
}

// Reload implements control.Source: the policy takes effect on the next call, everything else at the next start. A
// configuration that is not sound changes nothing, and Status says so.
func (a *Agent) Reload(ctx context.Context) (control.Reloaded, error) {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	before := a.loaded.Load()
	if a.opts.ConfigFile == "" {
		return control.Reloaded{}, nil
	}
	config, err := configs.LoadAgent(a.opts.ConfigFile)
	if err == nil {
		err = a.policy.Replace(config.Policy, a.own())
	}
	if err != nil {
		a.loaded.Store(&loaded{config: before.config, at: before.at, problem: err.Error()})
		return control.Reloaded{}, err
	}
	a.loaded.Store(&loaded{config: config, at: time.Now()})
	was, is := before.config.Policy, config.Policy
	if r := a.running.Load(); r != nil {
		if !slices.Equal(was.Targets, is.Targets) || !slices.Equal(was.Paths, is.Paths) {
			r.handler.Reset() // a login that is open already would not ask again
		}
		r.consent.Review()
		r.handler.Health.Hurry() // quiet hours may be others
		r.links.Retry()          // a person is at work here: what was refused may be mended
	}
	if a.opts.Problem != "" { // only a new start takes all of it
		a.mended.Store(true)
		a.turn()
	}
	a.logger.InfoContext(ctx, "configuration reloaded", "targets", len(config.Policy.Targets), "writes", config.Policy.Writes)
	return control.Reloaded{Applied: !reflect.DeepEqual(before.config.Policy, config.Policy), Restart: a.waiting(config)}, nil
}

// waiting lists the keys that changed since the start and need another one.
func (a *Agent) waiting(now configs.Agent) []string {
	var keys []string
	for _, key := range []struct {
		name    string
		changed bool
	}{
		{"state_dir", now.StateDir != a.config.StateDir}, {"proxy", !reflect.DeepEqual(now.Proxy, a.config.Proxy)}, {"ca_file", now.CAFile != a.config.CAFile},
		{"sessions", now.Sessions != a.config.Sessions}, {"log", now.Log != a.config.Log}, {"definitions", now.Definitions != a.config.Definitions},
	} {
		if key.changed {
			keys = append(keys, key.name)
		}
	}
	return keys
}

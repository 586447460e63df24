package agent

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/agent/links"
	"gantry/agent/proxy"
	"gantry/agent/state"
	"gantry/agent/support"
	"gantry/agent/vault"
	"gantry/configs"
	"gantry/tunnel"
	"gantry/tunnel/check"
	"gantry/tunnel/pki"
)

// Diagnose implements control.Source: what the running agent meets on its way to the relay, and to the plant's systems. Its
// own account, environment and sandbox are those that count.
func (a *Agent) Diagnose(ctx context.Context, deep bool) (check.Report, error) {
	road, connections := a.road(deep), a.connections(ctx)
	defer connections.Close()
	return check.Run(ctx, append(road.Checks(), connections.Checks...), check.Options{Program: "gantry-agent", Version: a.opts.Version, Limit: road.Limit()}), nil
}

// Examine looks at the machine, too: the whole that somebody gets who cannot run the command line here. tell hears of each
// result as it comes; nil: nobody does.
func (a *Agent) Examine(ctx context.Context, deep bool, tell support.Tell) check.Report {
	road, connections := a.road(deep), a.connections(ctx)
	defer connections.Close()
	checks := slices.Concat(a.machine().Checks(), road.Checks(), connections.Checks)
	options := check.Options{Program: "gantry-agent", Version: a.opts.Version, Limit: road.Limit(), Progress: tell}
	return check.Run(ctx, checks, options).Join(check.Report{})
}

// machine is the agent's own, seen from inside.
func (a *Agent) machine() doctor.Machine {
	return doctor.Machine{
		Version: a.opts.Version, ConfigFile: a.opts.ConfigFile, ConfigSet: true, StateDir: a.config.StateDir,
		MachineID: a.opts.machineID(), Running: a.Status,
	}
}

// notEnrolled is why no relay is known.
const notEnrolled = "this agent is not enrolled, so it knows no relay"

// road is the running agent's.
func (a *Agent) road(deep bool) doctor.Road {
	r := a.running.Load()
	if r == nil {
		return doctor.Road{NoRelay: notEnrolled}
	}
	road, err := RoadTo(a.config, r.identity.Relay, r.identity.pin, theService, a.logger)
	if err != nil {
		return doctor.Road{NoRelay: err.Error()}
	}
	road.Deep = deep
	road.Sessions = func(context.Context) ([]control.Session, error) {
		var all []control.Session
		for _, one := range r.links.Snapshot() {
			all = append(all, sessionStatus(one))
		}
		return all, nil
	}
	road.Open = func(context.Context) (doctor.Session, error) {
		if session := r.links.Session(); session != nil {
			return lent{session}, nil
		}
		return nil, errors.New("no session is up")
	}
	return road
}

// lent is a session that goes on when its borrower closes it.
type lent struct{ links.Session }

// Close implements doctor.Session.
func (lent) Close(string) {}

// RoadTo is the way to a relay, as whoever asks goes it: through the proxy that the configuration, its environment or
// the system names. A zero pin stands for any relay.
func RoadTo(config configs.Agent, relay string, pin pki.Pin, whose string, logger *slog.Logger) (doctor.Road, error) {
	dialer, err := relayDialer(config, relay, pin, logger)
	if err != nil {
		return doctor.Road{}, err
	}
	return doctor.Road{
		Relay: relay, Dialer: dialer, Origin: origin(config.Proxy, relay, whose), CAFile: config.CAFile,
		NoIdentity: "no agent is enrolled here that could show itself",
	}, nil
}

// origin says where the proxy's setting comes from, or that there is none.
func origin(config configs.Proxy, relay, whose string) string {
	const nowhere = "no proxy is set"
	target, err := url.Parse(relay)
	if err != nil {
		return nowhere
	}
	places, err := proxy.Here(config, whose)
	if err != nil {
		return nowhere
	}
	route, _ := places.Route(target) // that it cannot be used, the dialer will say
	switch {
	case route.Problem != "":
		return route.Problem
	case route.Origin == "":
		return nowhere
	}
	return route.Origin
}

// StoredRoad is the way of an agent that does not run, as this process goes it. It opens a session of its own, with the
// agent's identity, where its keys can be read.
func StoredRoad(ctx context.Context, config configs.Agent, o Options, whose string) doctor.Road {
	found, err := state.Inspect(ctx, config.StateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && found.Identity.Agent == "":
		return doctor.Road{NoRelay: notEnrolled}
	case errors.Is(err, fs.ErrPermission):
		return doctor.Road{NoRelay: "only an administrator may read which relay it is"}
	case err != nil:
		return doctor.Road{NoRelay: "the agent's database does not tell the relay: " + err.Error()}
	}
	pin, err := pki.ParsePin(found.Identity.Pin)
	if err != nil {
		return doctor.Road{NoRelay: err.Error()}
	}
	road, err := RoadTo(config, found.Identity.Relay, pin, whose, o.Logger)
	if err != nil {
		return doctor.Road{NoRelay: err.Error()}
	}
	if err := o.show(&road, config.StateDir, found.Identity); err != nil {
		road.NoIdentity = "the agent's keys cannot be opened: " + err.Error()
	}
	return road
}

// show lets the road open sessions as the agent.
func (o Options) show(road *doctor.Road, dir string, row state.Identity) error {
	if _, err := vault.Peek(dir); err != nil { // Open would make a key
		return err
	}
	v, err := vault.Open(dir)
	if err != nil {
		return err
	}
	id := &identity{Identity: row}
	if err := id.open(&store{vault: v}); err != nil {
		return err
	}
	facts, err := json.Marshal(o.facts(id.sealing.Public()))
	if err != nil {
		return err
	}
	dialer := *road.Dialer
	dialer.Identity, dialer.Handler = id.certificate, http.NotFoundHandler()
	road.Open = func(ctx context.Context) (doctor.Session, error) {
		return dialer.Dial(ctx, tunnel.Hello{InstanceID: rand.Text(), MachineID: o.machineID(), Lane: tunnel.LaneCalls, Facts: facts})
	}
	return nil
}

// MachineID tells this machine from another one that holds a copy of the agent's state.
func MachineID() string { return Options{}.machineID() }

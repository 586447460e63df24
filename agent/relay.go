package agent

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"gantry/agent/links"
	"gantry/agent/proxy"
	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/tunnel"
	"gantry/tunnel/pki"
)

// relayDialer makes the dialer of the tunnel from the configuration.
func relayDialer(config configs.Agent, relay string, pin pki.Pin, logger *slog.Logger) (*tunnel.Dialer, error) {
	places, err := proxy.Here(config.Proxy, theService)
	if err != nil {
		return nil, err
	}
	roots, err := extraRoots(config.CAFile)
	if err != nil {
		return nil, err
	}
	return &tunnel.Dialer{URL: relay, Proxy: places.Proxy, Roots: roots, Pin: pin, Logger: logger}, nil
}

// extraRoots adds a file of certificates to the system's; nil: the system's alone.
func extraRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read ca_file: %s holds no certificate in PEM", file)
	}
	return roots, nil
}

// connector dials sessions for the supervisor. Each session has its own handler, which knows whose drain it hears.
func (a *Agent) connector(r *running, instance string) (links.Dial, error) {
	dialer, err := relayDialer(a.config, r.identity.Relay, r.identity.pin, a.logger)
	if err != nil {
		return nil, err
	}
	dialer.Identity = r.identity.certificate
	facts, err := json.Marshal(a.opts.facts(r.identity.sealing.Public()))
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	hello := tunnel.Hello{InstanceID: instance, MachineID: a.opts.machineID(), Facts: facts}
	return func(ctx context.Context, slot int, retire func()) (links.Session, error) {
		own, hello := *dialer, hello
		own.Handler = withDrain(r.serveRelay(), retire)
		hello.Lane = lane(slot)
		session, err := own.Dial(ctx, hello)
		if err != nil {
			return nil, err
		}
		if session.Peer().Expired {
			r.expired.Store(true)
		}
		return noticed{session}, nil
	}, nil
}

// lane keeps small calls off what carries bulk.
func lane(slot int) tunnel.Lane {
	if slot == 0 {
		return tunnel.LaneCalls
	}
	return tunnel.LaneBulk
}

// withDrain serves the relay's word that it stops using the session.
func withDrain(next http.Handler, retire func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == wire.PathDrain {
			w.WriteHeader(http.StatusNoContent)
			retire()
			return
		}
		next.ServeHTTP(w, r)
	})
}

// noticed is a session that tells the relay before it drains, so that no call meets its end.
type noticed struct{ *tunnel.Session }

// Drain implements links.Session. The relay answers when its own calls are finished.
func (n noticed) Drain(ctx context.Context) error {
	if response, err := post(ctx, n, wire.PathDrain, nil); err == nil { // a relay that does not answer is about to be gone
		_ = response.Body.Close()
	}
	return n.Session.Drain(ctx)
}

// refusal tells the relay's no from a failure to reach it.
func refusal(err error) (links.Refusal, bool) {
	r, ok := errors.AsType[*tunnel.Refused](err)
	if !ok {
		return links.Refusal{}, false
	}
	return links.Refusal{Code: r.Code, Message: r.Message, Permanent: r.Permanent}, true
}

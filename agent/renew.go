package agent

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"gantry/agent/links"
	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// Pauses of renewal.
const (
	renewCheck = time.Second      // how often it is looked whether a renewal is due and a session is up
	renewRetry = 2 * time.Minute  // after a failed try
	renewTime  = 30 * time.Second // one try
)

var errNoSession = errors.New("no session is up")

// renewals keeps the certificate young: at two thirds of its life it asks for a new one, over the tunnel, for the same
// key. One that ended already, because the agent was switched off, still opens a session that can do this and nothing
// else; after it every session is made anew, to do everything again. Whether it ended the relay says with the session,
// for this clock may be years behind.
func (a *Agent) renewals(ctx context.Context, r *running) {
	var quiet time.Time // no try before
	ticker := time.NewTicker(renewCheck)
	defer ticker.Stop()
	for {
		if now := time.Now(); now.After(quiet) && r.mustRenew(now) {
			quiet = now.Add(a.renewNow(ctx, r))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// renewNow tries once, and says how long to wait before the next try.
func (a *Agent) renewNow(ctx context.Context, r *running) time.Duration {
	ended := r.expired.Load() || time.Now().After(r.identity.expires())
	err := a.renew(ctx, r)
	switch {
	case err == nil:
		a.logger.InfoContext(ctx, "certificate renewed", "expires_at", r.identity.expires())
		if ended {
			r.expired.Store(false)
			r.links.Recycle()
		}
		return 0
	case errors.Is(err, errNoSession) || ctx.Err() != nil:
		return 0
	}
	a.logger.WarnContext(ctx, "certificate not renewed", "expires_at", r.identity.expires(), "retry_in", renewRetry, "error", err)
	return renewRetry
}

// mustRenew reports whether a new certificate is needed, by the relay's word or by this clock.
func (r *running) mustRenew(now time.Time) bool {
	return r.expired.Load() || due(r.identity.current.Load().Leaf, now)
}

// due reports whether the certificate is past two thirds of its life. One from the future, to a clock that is wrong, is
// not due: the relay's own clock decides what is valid.
func due(leaf *x509.Certificate, now time.Time) bool {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	return now.After(leaf.NotBefore.Add(time.Duration(float64(life) * configs.RenewAt)))
}

func (a *Agent) renew(ctx context.Context, r *running) error {
	session := r.links.Session()
	if session == nil {
		return errNoSession
	}
	csr, err := pki.NewCSR(r.identity.key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	der, err := askRenewal(ctx, session, csr)
	if err != nil {
		return err
	}
	if err := pki.VerifyIssued(der, r.identity.CA, r.identity.pin, &r.identity.key.PublicKey); err != nil {
		return fmt.Errorf("the relay's new certificate: %w", err)
	}
	if err := r.db.SetCertificate(ctx, der); err != nil {
		return err
	}
	return r.identity.setCertificate(der)
}

func askRenewal(ctx context.Context, session links.Session, csr []byte) ([]byte, error) {
	body, err := json.Marshal(wire.Renewal{CSR: csr})
	if err != nil {
		return nil, err
	}
	response, err := post(ctx, session, wire.PathRenew, body)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, problem(response)
	}
	var renewed wire.Renewed
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&renewed); err != nil {
		return nil, fmt.Errorf("read renewed certificate: %w", err)
	}
	return renewed.Certificate, nil
}

// post calls the relay on one session.
func post(ctx context.Context, session links.Session, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://relay"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	return session.RoundTripper().RoundTrip(request)
}

// problem reads the relay's refusal.
func problem(response *http.Response) error {
	f, err := fault.Decode(response.Body)
	if err != nil {
		return fmt.Errorf("the relay answered %d: %w", response.StatusCode, err)
	}
	return f
}

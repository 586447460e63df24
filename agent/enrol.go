package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gantry/agent/control"
	"gantry/agent/state"
	"gantry/configs"
	"gantry/connectors/seal"
	"gantry/tunnel/enrol"
	"gantry/tunnel/pki"
)

// Enrolment says how to enrol.
type Enrolment struct {
	Options
	Force bool // replace an identity that is there; its connections and their logins go
}

// Enrol makes this machine known to the relay that the token names, and stores the identity in the state folder. The
// keys are made here and never leave it. The error is, or wraps, one of package enrol's for a text that is no whole
// token, control.ErrEnrolled, state.ErrInUse while the agent runs, a *fault.Error where the relay refuses the token, or a
// *tunnel.DialError where it cannot be reached.
func Enrol(ctx context.Context, config configs.Agent, tokenText string, e Enrolment) (control.Enrolled, error) {
	token, err := enrol.Parse(tokenText)
	if err != nil {
		return control.Enrolled{}, err
	}
	store, err := openStore(ctx, config.StateDir)
	if err != nil {
		return control.Enrolled{}, err
	}
	defer store.close(e.Logger)
	return store.enrol(ctx, config, token, e)
}

// enrol is Enrol with the state folder open.
func (s *store) enrol(ctx context.Context, config configs.Agent, token enrol.Token, e Enrolment) (control.Enrolled, error) {
	if err := s.mayEnrol(ctx, e.Force); err != nil {
		return control.Enrolled{}, err
	}
	keys, err := newKeys()
	if err != nil {
		return control.Enrolled{}, err
	}
	response, err := callEnrol(ctx, config, token, keys, e.Options)
	if err != nil {
		return control.Enrolled{}, err
	}
	if err := pki.VerifyIssued(response.Certificate, response.CA, token.Pin, &keys.tls.PublicKey); err != nil {
		return control.Enrolled{}, fmt.Errorf("the relay's answer: %w", err)
	}
	row, err := keys.identity(s, token, response)
	if err != nil {
		return control.Enrolled{}, err
	}
	if err := s.db.SetIdentity(ctx, row); err != nil {
		return control.Enrolled{}, err
	}
	id, err := s.identity(ctx) // as the next start will read it
	if err != nil {
		return control.Enrolled{}, err
	}
	return control.Enrolled{
		Agent: id.Agent, Site: id.Site, Organisation: id.Organisation, Relay: id.Relay,
		SealingKey: id.sealing.Public().Fingerprint(), CertificateExpiresAt: id.expires(),
	}, nil
}

// Unenrol erases the identity, the connections and their logins. The relay is not told: it shows the agent as
// disconnected until it is removed there.
func Unenrol(ctx context.Context, config configs.Agent, o Options) error {
	store, err := openStore(ctx, config.StateDir)
	if err != nil {
		return err
	}
	defer store.close(o.Logger)
	return store.db.Forget(ctx)
}

func (s *store) mayEnrol(ctx context.Context, force bool) error {
	row, err := s.db.Identity(ctx)
	switch {
	case errors.Is(err, state.ErrNotEnrolled):
		return nil
	case err != nil:
		return err
	case !force:
		return fmt.Errorf("%w, as %s of site %s", control.ErrEnrolled, row.Agent, row.Site)
	}
	return nil
}

// keys are what an agent makes for itself.
type keys struct {
	tls     *ecdsa.PrivateKey
	sealing seal.PrivateKey
	cursor  []byte
}

func newKeys() (*keys, error) {
	k := &keys{cursor: make([]byte, 32)}
	_, _ = rand.Read(k.cursor) // never fails: crypto/rand
	var err error
	if k.tls, err = pki.NewKey(); err != nil {
		return nil, err
	}
	if k.sealing, err = seal.NewKey(); err != nil {
		return nil, err
	}
	return k, nil
}

func callEnrol(ctx context.Context, config configs.Agent, token enrol.Token, k *keys, o Options) (enrol.Response, error) {
	csr, err := pki.NewCSR(k.tls)
	if err != nil {
		return enrol.Response{}, err
	}
	facts, err := json.Marshal(o.facts(k.sealing.Public()))
	if err != nil {
		return enrol.Response{}, fmt.Errorf("encode facts: %w", err)
	}
	dialer, err := relayDialer(config, token.Relay, token.Pin, o.Logger)
	if err != nil {
		return enrol.Response{}, err
	}
	return enrol.Call(ctx, dialer, token, enrol.Request{CSR: csr, Facts: facts, MachineID: o.machineID()})
}

// identity boxes the keys.
func (k *keys) identity(s *store, token enrol.Token, r enrol.Response) (state.Identity, error) {
	tlsKey, err := pki.MarshalKey(k.tls)
	if err != nil {
		return state.Identity{}, err
	}
	sealing, err := k.sealing.Bytes()
	if err != nil {
		return state.Identity{}, err
	}
	return state.Identity{
		Agent: r.AgentID, Site: r.SiteID, Organisation: r.OrganisationID,
		Relay: token.Relay, Pin: token.Pin.String(), CA: r.CA, Certificate: r.Certificate,
		Vault: s.vault.ID(), TLSKeyBox: s.vault.Encrypt(tlsKey, purposeTLSKey),
		SealingKeyBox: s.vault.Encrypt(sealing, purposeSealingKey), CursorKeyBox: s.vault.Encrypt(k.cursor, purposeCursorKey),
		EnrolledAt: time.Now(),
	}, nil
}

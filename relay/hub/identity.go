package hub

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/store"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// maxFacts bounds what an agent tells of itself, in bytes; maxRenewal a request for a certificate.
const (
	maxFacts   = 16 << 10
	maxRenewal = 32 << 10
)

// Enrol makes an agent of whoever brings a one-time token's secret and a key of their own. It is what enrol.Handler asks.
// The token is looked at first, so that a bad one costs no signature, and consumed in the transaction that keeps the
// agent.
func (h *Hub) Enrol(ctx context.Context, request enrol.Request, remote string) (enrol.Response, error) {
	response, err := h.enrol(ctx, request)
	if err != nil {
		h.Logger.Warn("enrolment refused", "remote", remote, "error", err)
		return enrol.Response{}, err
	}
	h.Logger.Info("agent enrolled", "agent_id", response.AgentID, "site_id", response.SiteID, "remote", remote)
	return response, nil
}

func (h *Hub) enrol(ctx context.Context, request enrol.Request) (enrol.Response, error) {
	if err := checkFacts(request); err != nil {
		return enrol.Response{}, err
	}
	secret := store.Hash(sha256.Sum256(request.Secret))
	if _, err := h.Register.Enrolment(ctx, secret); err != nil {
		return enrol.Response{}, refusedToken(err)
	}
	id := store.NewID(store.AgentID, time.Now())
	der, key, expires, err := h.sign(request.CSR, id)
	if err != nil {
		return enrol.Response{}, err
	}
	agent, err := h.Register.Enrol(ctx, secret, store.NewAgent{
		ID: id, MachineID: request.MachineID, Key: key, Facts: request.Facts, CertificateExpiresAt: expires,
	})
	if err != nil {
		return enrol.Response{}, refusedToken(err)
	}
	return enrol.Response{
		AgentID: agent.ID, SiteID: agent.SiteID, OrganisationID: agent.OrganisationID, Certificate: der, CA: h.Authority.Certificate(),
	}, nil
}

func checkFacts(request enrol.Request) error {
	var facts wire.Facts
	if len(request.Facts) > maxFacts || len(request.Facts) > 0 && json.Unmarshal(request.Facts, &facts) != nil {
		return fault.New(fault.InvalidRequest, "The facts about the agent are too large, or no facts.").Member("facts", "INVALID", "an object of at most %d bytes", maxFacts)
	}
	return nil
}

// sign makes a certificate and gives with it the hash of the key that it is for.
func (h *Hub) sign(csr []byte, agentID string) (der []byte, key store.Hash, expires time.Time, err error) {
	der, expires, err = h.Authority.Sign(csr, agentID, h.CertificateLife)
	if err != nil {
		return nil, key, expires, fault.New(fault.InvalidRequest, "The request for a certificate cannot be signed.").
			Member("csr", "INVALID", "a PKCS #10 request for an ECDSA P-256 key").Because(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, key, expires, fmt.Errorf("parse own certificate: %w", err)
	}
	return der, store.Hash(pki.PinOf(certificate)), expires, nil
}

// refusedToken tells the ways apart in which an enrolment token can be bad.
func refusedToken(err error) error {
	const another = "Make a new enrolment token for the site: POST /sites/{id}/enrolment-tokens."
	problem := func(detail string) *fault.Error {
		return fault.New(fault.AuthenticationFailed, "%s", detail).Reaches(fault.ScopeSite).Advise("%s", another).Because(err)
	}
	switch {
	case errors.Is(err, store.ErrTokenUsed):
		return problem("The enrolment token has been used already: it enrols one agent, once.")
	case errors.Is(err, store.ErrTokenExpired):
		return problem("The enrolment token has expired.")
	case errors.Is(err, store.ErrSiteDeleted):
		return problem("The site that the enrolment token is for has been deleted.")
	case errors.Is(err, store.ErrTokenUnknown), errors.Is(err, store.ErrNotFound):
		return problem("The enrolment token is not known to this relay.")
	case errors.Is(err, store.ErrReadOnly):
		return fault.New(fault.Overloaded, "The relay cannot store anything now.").Because(err)
	}
	return err
}

// Serve gives the handler of what an agent may ask on its session. It is what tunnel.Acceptor serves.
func (h *Hub) Serve(s Session) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.PathRenew, func(w http.ResponseWriter, r *http.Request) { h.answerRenewal(w, r, s) })
	mux.HandleFunc("POST "+wire.PathDrain, func(w http.ResponseWriter, r *http.Request) {
		h.leaves(s.Peer().AgentID)
		if err := s.Finish(r.Context()); err == nil { // else the agent did not wait for the answer
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("POST "+wire.PathCatalogue, func(w http.ResponseWriter, r *http.Request) { h.answerCatalogue(w, r, s) })
	mux.HandleFunc("POST "+wire.PathMeasure, answerMeasure)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fault.New(fault.NotFound, "An agent may renew its certificate, publish its catalogue, measure the tunnel or tell of its stop, and nothing else.").Write(w)
	})
	return mux
}

// answerCatalogue takes a catalogue that changed while the session lasts.
func (h *Hub) answerCatalogue(w http.ResponseWriter, r *http.Request, s Session) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCatalogue))
	if err == nil {
		err = h.saveCatalogue(r.Context(), s.Peer().AgentID, raw)
	}
	if err != nil {
		h.Logger.Warn("catalogue not kept", "agent_id", s.Peer().AgentID, "error", err)
		fault.New(fault.InvalidRequest, "The catalogue cannot be kept.").Because(err).Write(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *Hub) answerRenewal(w http.ResponseWriter, r *http.Request, s Session) {
	renewed, err := h.renew(w, r, s)
	if err != nil {
		h.Logger.Warn("certificate not renewed", "agent_id", s.Peer().AgentID, "error", err)
		fault.From(err, fault.HopRelay).Write(w)
		return
	}
	h.Logger.Info("certificate renewed", "agent_id", s.Peer().AgentID)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(renewed) // the agent may be gone: it asks again
}

// renew signs anew for the key that the session was opened with; another key would be another agent.
func (h *Hub) renew(w http.ResponseWriter, r *http.Request, s Session) (wire.Renewed, error) {
	var renewal wire.Renewal
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRenewal)).Decode(&renewal); err != nil {
		return wire.Renewed{}, fault.New(fault.InvalidRequest, "The renewal is not the JSON that it should be.").Because(err)
	}
	der, key, expires, err := h.sign(renewal.CSR, s.Peer().AgentID)
	if err != nil {
		return wire.Renewed{}, err
	}
	if key != store.Hash(pki.PinOf(s.Peer().Certificate)) {
		return wire.Renewed{}, wrongKey(nil)
	}
	switch err := h.Register.RenewAgent(r.Context(), s.Peer().AgentID, key, expires); {
	case errors.Is(err, store.ErrWrongKey):
		return wire.Renewed{}, wrongKey(err)
	case errors.Is(err, store.ErrRevoked), errors.Is(err, store.ErrNotFound):
		return wire.Renewed{}, fault.New(fault.Forbidden, "The agent has been revoked.").Reaches(fault.ScopeSite).Because(err)
	case err != nil:
		return wire.Renewed{}, err
	}
	return wire.Renewed{Certificate: der}, nil
}

func wrongKey(err error) error {
	return fault.New(fault.Forbidden, "The key is not the one that the agent enrolled with.").Reaches(fault.ScopeSite).
		Advise("Enrol the agent again.").Because(err)
}

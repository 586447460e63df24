package enrol

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"time"

	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// Path is where the exchange is served, by POST, on a connection that was opened for it alone.
const Path = "/v1/enrol"

// MaxBody bounds both documents of the exchange, in bytes.
const MaxBody = 64 << 10

// Request is what a fresh agent sends. It carries the token's secret, so it is never logged.
type Request struct {
	Secret    []byte          `json:"secret"`
	CSR       []byte          `json:"csr"`   // PKCS #10, DER
	Facts     json.RawMessage `json:"facts"` // the agent about itself; this package does not look into it
	MachineID string          `json:"machine_id"`
}

// LogValue keeps the secret out of logs.
func (r Request) LogValue() slog.Value {
	return slog.StringValue("enrolment of machine " + r.MachineID)
}

// Response is what the relay answers.
type Response struct {
	AgentID        string `json:"agent_id"`
	SiteID         string `json:"site_id"`
	OrganisationID string `json:"organisation_id"`
	Certificate    []byte `json:"certificate"` // DER
	CA             []byte `json:"ca"`          // DER
}

// Dialer opens the tunnel in its enrolment form.
type Dialer interface {
	DialEnrol(ctx context.Context) (net.Conn, error)
}

// Call enrols: it sends the request with the token's secret and gives the relay's answer, whose authority is the
// pinned one. That the certificate is for the agent's own key, pki.VerifyIssued checks.
//
// A refusal by the relay is a *fault.Error; a failure to reach it is the dialer's own error.
func Call(ctx context.Context, d Dialer, token Token, req Request) (Response, error) {
	req.Secret = token.Secret
	body, err := json.Marshal(req)
	if err != nil {
		return Response{}, fmt.Errorf("enrol: %w", err)
	}
	conn, err := d.DialEnrol(ctx)
	if err != nil {
		return Response{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()

	answer, err := exchange(ctx, conn, body)
	if err != nil {
		if ctx.Err() != nil {
			return Response{}, fmt.Errorf("enrol: %w", context.Cause(ctx))
		}
		return Response{}, err
	}
	if err := answer.check(token.Pin); err != nil {
		return Response{}, err
	}
	return answer, nil
}

// exchange sends the one request of the connection and reads the one answer.
func exchange(ctx context.Context, conn net.Conn, body []byte) (Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+pki.ServerName+Path, bytes.NewReader(body))
	if err != nil {
		return Response{}, fmt.Errorf("enrol: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Close = true
	if err := r.Write(conn); err != nil {
		return Response{}, lost(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 2*MaxBody)), r)
	if err != nil {
		return Response{}, lost(err)
	}
	defer resp.Body.Close()
	return decodeAnswer(resp)
}

func decodeAnswer(resp *http.Response) (Response, error) {
	if resp.StatusCode != http.StatusOK {
		refusal, err := fault.Decode(resp.Body)
		if err != nil {
			return Response{}, fault.New(fault.Internal, "The relay answered the enrolment with status %d and no explanation.", resp.StatusCode).Because(err)
		}
		return Response{}, refusal
	}
	var answer Response
	if err := decode(resp.Body, &answer); err != nil {
		return Response{}, fault.New(fault.Internal, "The relay's answer to the enrolment cannot be read.").Because(err)
	}
	return answer, nil
}

// lost is the failure of an enrolment whose answer did not arrive: the token may be used up.
func lost(err error) error {
	return fault.New(fault.TunnelLost, "The tunnel broke during the enrolment.").
		Advise("Try again; if the token is then reported as used, ask for a new one.").Because(err)
}

// check makes sure that the answer is whole and comes from the pinned authority.
func (r Response) check(pin pki.Pin) error {
	if r.AgentID == "" || r.SiteID == "" || len(r.Certificate) == 0 {
		return fault.New(fault.Internal, "The relay's answer to the enrolment is not whole.")
	}
	if err := checkAuthority(r.CA, pin); err != nil {
		return fault.New(fault.Internal, "The relay's answer to the enrolment names another authority than the token does.").Because(err)
	}
	return nil
}

// Handler serves the exchange with enrol, which consumes the secret and makes the agent; remote is the caller's
// address. An error of enrol is answered as a problem document.
func Handler(enrol func(ctx context.Context, req Request, remote string) (Response, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, func(w http.ResponseWriter, r *http.Request) {
		answer, err := serve(w, r, enrol)
		if err != nil {
			fault.From(err, fault.HopRelay).Write(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(answer) // the agent may be gone: there is nobody left to tell
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fault.New(fault.NotFound, "This connection serves POST %s alone.", Path).Write(w)
	})
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, enrol func(context.Context, Request, string) (Response, error)) (Response, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return Response{}, fault.New(fault.UnsupportedMediaType, "An enrolment is JSON.")
	}
	var req Request
	if err := decode(http.MaxBytesReader(w, r.Body, MaxBody), &req); err != nil {
		return Response{}, refuseBody(err)
	}
	if len(req.Secret) < MinSecret || len(req.CSR) == 0 || len(req.MachineID) > 256 {
		return Response{}, fault.New(fault.InvalidRequest, "An enrolment needs a secret and a certificate request.")
	}
	return enrol(r.Context(), req, r.RemoteAddr)
}

func refuseBody(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.PayloadTooLarge, "An enrolment has at most %d bytes.", MaxBody)
	}
	return fault.New(fault.InvalidRequest, "The enrolment is not the JSON that it should be.").Because(err)
}

// decode reads one JSON document and nothing after it. Unknown members are left aside, so that a newer agent can enrol
// at an older relay.
func decode(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one document")
	}
	return nil
}

package web

import (
	"io"
	"net/http"
	"sync"

	"github.com/Azure/go-ntlmssp"
)

// ntlm logs in with NTLM, one exchange at a time: a login of that kind belongs to a connection, and its three messages must
// not be parted. Between them the transport takes the connection that was used last, which nobody else can have been given
// meanwhile. The user and the password come in the request's basic login, which itself is never sent.
type ntlm struct {
	transport *http.Transport
	turn      chan struct{}
}

func newNTLM(t *http.Transport) *ntlm { return &ntlm{t, make(chan struct{}, 1)} }

// RoundTrip implements http.RoundTripper. The turn is over when the answer's body is closed.
func (n *ntlm) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case n.turn <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	over := sync.OnceFunc(func() { <-n.turn })
	last := &lastTrip{RoundTripper: n.transport}
	answer, err := ntlmssp.Negotiator{RoundTripper: last}.RoundTrip(r)
	if err == nil && last.err != nil {
		_ = answer.Body.Close()
		err = last.err
	}
	if err != nil {
		over()
		return nil, err
	}
	answer.Body = turnBody{answer.Body, over}
	return answer, nil
}

// lastTrip keeps the error of the last message. The negotiator gives the first refusal (401) where a later message was cut off: a
// write that may have happened would pass for refused, and so would the password.
type lastTrip struct {
	http.RoundTripper
	err error
}

// RoundTrip implements http.RoundTripper.
func (l *lastTrip) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	answer, err = l.RoundTripper.RoundTrip(r)
	l.err = err
	return answer, err
}

// CloseIdleConnections lets http.Client close what the transport keeps.
func (n *ntlm) CloseIdleConnections() { n.transport.CloseIdleConnections() }

type turnBody struct {
	io.ReadCloser
	over func()
}

// Close implements io.Closer.
func (b turnBody) Close() error {
	defer b.over()
	return b.ReadCloser.Close()
}

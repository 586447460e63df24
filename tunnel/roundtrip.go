package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// newCaller is net/http's client, whose connections are streams. Keeping a stream between calls saves its making; on
// the bulk lane it does not, because an idle stream keeps the buffer that it grew for a large window.
func (s *Session) newCaller() *http.Transport {
	lane := s.peer.Hello.Lane
	idle := streamsOf(lane)
	if lane == LaneBulk {
		idle = -1 // unlike DisableKeepAlives this does not make the server close first, which would cut a slow reader
	}
	return &http.Transport{
		DialContext:            s.open,
		DisableCompression:     true, // what travels is encrypted already, and a row is not worth the time
		MaxConnsPerHost:        streamsOf(lane),
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        idleStream,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              onlyHTTP1(),
		ReadBufferSize:         bufferOf(lane),
		WriteBufferSize:        bufferOf(lane),
	}
}

func (s *Session) open(context.Context, string, string) (net.Conn, error) {
	conn, err := s.mux.Open()
	if err != nil {
		return nil, err
	}
	s.opened.Add(1)
	s.outbox.readers.add(conn)
	return &outStream{Conn: conn, readers: &s.outbox.readers, half: int(windowOf(s.peer.Hello.Lane) / 2)}, nil
}

// RoundTripper calls the peer. A request's scheme and host are left aside: there is one peer. Calls beyond the lane's
// streams wait, within their context, for a place; a call holds its place until its answer's body is closed.
func (s *Session) RoundTripper() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ session *Session }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	s := t.session
	if err := s.begin(r.Context()); err != nil {
		closeBody(r)
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	var way passage
	resp, err := s.caller.RoundTrip(way.prepare(r))
	if err != nil {
		s.finish()
		return nil, way.explain(r.Context(), err)
	}
	resp.Body = &answerBody{ReadCloser: resp.Body, ctx: r.Context(), finish: s.finish}
	resp.Request = r
	return resp, nil
}

// begin takes a place for a call.
func (s *Session) begin(ctx context.Context) error {
	if !s.calls.enter() {
		return errDraining
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-s.mux.CloseChan():
		s.calls.leave()
		return ErrLost
	case <-ctx.Done():
		s.calls.leave()
		return context.Cause(ctx)
	}
}

func (s *Session) finish() {
	<-s.slots
	s.calls.leave()
}

// passage follows one call onto its stream. net/http may try a second stream when an idle one turns out to be closed.
type passage struct {
	mu     sync.Mutex
	stream *outStream
	sent   bool
}

// prepare gives the request as it goes down the stream.
func (p *passage) prepare(r *http.Request) *http.Request {
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: p.gotConn})
	inner := r.WithContext(ctx)
	url := *r.URL
	url.Scheme, url.Host = "http", "peer"
	inner.URL = &url
	return inner
}

func (p *passage) gotConn(info httptrace.GotConnInfo) {
	stream, ok := info.Conn.(*outStream)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stream != nil {
		p.sent = p.stream.seal() || p.sent
	}
	p.stream = stream
	stream.mark()
}

// explain says whether a failed call was sent. It seals the stream first, which net/http will not use again, so that
// what was not sent will not be sent afterwards either.
func (p *passage) explain(ctx context.Context, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := p.sent
	if p.stream != nil {
		sent = p.stream.seal() || sent
	}
	switch {
	case !sent:
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	case ctx.Err() != nil:
		return fmt.Errorf("call: %w", context.Cause(ctx))
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// answerBody is the body of an answer; it gives the call's place back when it is closed.
type answerBody struct {
	io.ReadCloser
	ctx    context.Context
	finish func()
	once   sync.Once
}

// Read implements io.Reader.
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case b.ctx.Err() != nil:
		return n, context.Cause(b.ctx)
	}
	return n, fmt.Errorf("%w: %w", ErrLost, err)
}

// Close implements io.Closer.
func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.finish)
	return err
}

// closeBody keeps RoundTripper's promise that the request's body is always closed.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

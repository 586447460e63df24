package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"gantry/relay/store"
	"gantry/tunnel"
	"gantry/tunnel/fault"
)

// Lane is the kind of session that a call prefers.
type Lane = tunnel.Lane

// The lanes: unary calls, and streams.
const (
	Calls = tunnel.LaneCalls
	Bulk  = tunnel.LaneBulk
)

// Session is what the hub needs of a session; *tunnel.Session is one.
type Session interface {
	RoundTripper() http.RoundTripper
	Peer() tunnel.Peer
	Finish(ctx context.Context) error
	Drain(ctx context.Context) error
	Draining() bool
	Retired() <-chan struct{}
	Close(reason string)
	Done() <-chan struct{}
	Err() error
	InFlight() int
	Counters() tunnel.Counters
}

// Register is what the hub keeps of agents; store.Store is one.
type Register interface {
	store.Enrolments
	store.Agents
	AgentConnections(ctx context.Context, agent string) ([]store.Connection, error)
}

// Authority signs agents' certificates; *pki.Authority is one.
type Authority interface {
	Sign(csrDER []byte, agentID string, life time.Duration) (der []byte, notAfter time.Time, err error)
	Certificate() []byte
}

// Options are what a hub works with. Timings of zero are the usual ones.
type Options struct {
	Register        Register
	Directory       Directory
	Authority       Authority
	Listener        Listener      // nil: nobody
	Node            string        // this node's name in the Directory
	CertificateLife time.Duration // of agents
	PingEvery       time.Duration // 10 s
	PingTimeout     time.Duration // 10 s
	Logger          *slog.Logger
}

// Hub holds the sessions of this node. It is safe for concurrent use.
type Hub struct {
	Options
	ctx    context.Context // ends with Close: the sessions' attendants work under it
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu        sync.Mutex
	agents    map[string]*presence
	left      map[string]*leave // said that they stop
	revoked   map[string]bool   // since the start; the store knows those before
	exchanges map[string]*semaphore.Weighted
	troubles  map[string]Trouble
	closed    bool

	bytesIn, bytesOut int64 // of the sessions that ended
}

// New makes a hub. Whoever calls it calls Close.
func New(o Options) *Hub {
	if o.PingEvery == 0 {
		o.PingEvery = 10 * time.Second
	}
	if o.PingTimeout == 0 {
		o.PingTimeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Hub{
		Options: o, ctx: ctx, cancel: cancel,
		agents: map[string]*presence{}, left: map[string]*leave{}, revoked: map[string]bool{}, exchanges: map[string]*semaphore.Weighted{},
		troubles: map[string]Trouble{},
	}
}

// Do makes one call to an agent, on a session of the lane or, when there is none, on any. Errors are *fault.Error, or that
// of the request's context: AGENT_OFFLINE (outcome not_sent) where nothing was sent, TUNNEL_LOST where the tunnel broke
// under way. A request that never went onto a stream is tried once more on another session, or when an agent that said it
// stops has come back.
func (h *Hub) Do(agentID string, lane Lane, r *http.Request) (*http.Response, error) {
	var tried *link
	for {
		l := h.pick(agentID, lane, tried)
		if l == nil {
			if !h.comesBack(agentID, r) {
				return nil, offline(agentID)
			}
			tried = nil
			continue
		}
		response, err := l.session.RoundTripper().RoundTrip(r)
		if err == nil {
			return response, nil
		}
		if again := rewound(r); again != nil && errors.Is(err, tunnel.ErrNotSent) && tried == nil && r.Context().Err() == nil {
			tried, r = l, again
			continue
		}
		return nil, h.Classify(err)
	}
}

// rewound gives the request with its body from the beginning; nil where that cannot be.
func rewound(r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	if r.GetBody == nil {
		return nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil
	}
	again := *r
	again.Body = body
	return &again
}

// Classify turns the error of a call, or of reading its answer, into a *fault.Error. The end of the caller's context
// stays what it is: only the caller knows the cause.
func (h *Hub) Classify(err error) error {
	switch {
	case errors.Is(err, tunnel.ErrNotSent):
		return fault.New(fault.AgentOffline, "The session to the agent ended before the call was sent.").
			Ended(fault.NotSent).After(time.Second).Because(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fault.New(fault.TunnelLost, "The tunnel to the agent broke during the call.").Because(err)
}

func offline(agentID string) *fault.Error {
	e := fault.New(fault.AgentOffline, "No session of the agent is up. Nothing was sent.").Ended(fault.NotSent)
	e.AgentID = agentID
	return e
}

// Sessions counts the live sessions and the agents that have any.
func (h *Hub) Sessions() (sessions, agents int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.agents {
		sessions += len(p.links)
	}
	return sessions, len(h.agents)
}

// Traffic gives the bytes that went through all sessions since the start.
func (h *Hub) Traffic() (in, out int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	in, out = h.bytesIn, h.bytesOut
	for _, p := range h.agents {
		for _, l := range p.links {
			count := l.session.Counters()
			in, out = in+count.BytesIn, out+count.BytesOut
		}
	}
	return in, out
}

// Announce tells every agent that this relay is about to stop, so that they move elsewhere. Calls go on.
func (h *Hub) Announce(ctx context.Context) {
	var group sync.WaitGroup
	for _, l := range h.all() {
		group.Go(func() { h.tellDrain(ctx, l) })
	}
	group.Wait()
}

// Close lets the calls under way finish until ctx ends, then closes every session and waits for what the hub started.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	var group sync.WaitGroup
	for _, l := range h.all() {
		group.Go(func() {
			if err := l.session.Drain(ctx); err != nil {
				h.Logger.Warn("session closed with calls under way", "agent_id", l.agentID, "error", err)
			}
			l.session.Close("the relay stops")
		})
	}
	group.Wait()
	h.cancel()
	h.tasks.Wait()
}

func (h *Hub) all() []*link {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []*link
	for _, p := range h.agents {
		all = append(all, p.links...)
	}
	return all
}

package support

import (
	"context"
	"sync"
	"time"

	"gantry/tunnel/fault"
)

// Bounds of the time for which somebody at the plant lets support in.
const (
	DefaultTime = 4 * time.Hour
	MaxTime     = 7 * 24 * time.Hour
)

// Mode is the key `support` of agent.yaml.
type Mode string

// The modes.
const (
	Ask   Mode = "ask"   // not until somebody at the plant says so, for a time
	Allow Mode = "allow" // always
	Deny  Mode = "deny"  // never
)

// Memory keeps until when support may come in, over restarts; *state.DB is one.
type Memory interface {
	SupportUntil(ctx context.Context) (time.Time, error)
	SetSupportUntil(ctx context.Context, until time.Time) error
}

// Consent is whether support may run something on the agent as a whole. It is safe for concurrent use.
type Consent struct {
	mode   func() Mode // asked every time: a reload takes effect at once
	memory Memory

	mu    sync.Mutex
	until time.Time
	life  context.Context // of what is under way: ends when the consent is taken back
	end   context.CancelCauseFunc
}

// NewConsent reads what was said before the last stop.
func NewConsent(ctx context.Context, mode func() Mode, memory Memory) (*Consent, error) {
	until, err := memory.SupportUntil(ctx)
	if err != nil {
		return nil, err
	}
	c := &Consent{mode: mode, memory: memory, until: until}
	c.life, c.end = context.WithCancelCause(context.Background())
	return c, nil
}

// Open lets support in for a time. The error is a *fault.Error where the configuration says never, or where the time is
// out of bounds.
func (c *Consent) Open(ctx context.Context, span time.Duration) error {
	if c.mode() == Deny {
		return fault.New(fault.PolicyDenied, "The configuration says `support: deny`: nobody lets support in from here.").
			Reaches(fault.ScopeSite).Advise("Write `support: ask` into the configuration, reload it (SIGHUP), and run: gantry-agent support on")
	}
	if span <= 0 || span > MaxTime {
		return fault.New(fault.InvalidRequest, "Support can be let in for at most %d days.", int(MaxTime.Hours()/24)).
			Advise("Say for how long, as: gantry-agent support on --for 4h")
	}
	return c.set(ctx, time.Now().Add(span))
}

// Close takes the consent back, and ends what is under way.
func (c *Consent) Close(ctx context.Context) error {
	err := c.set(ctx, time.Time{})
	c.Review()
	return err
}

func (c *Consent) set(ctx context.Context, until time.Time) error {
	if err := c.memory.SetSupportUntil(ctx, until); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = until
	return nil
}

// Review ends what is under way if support may not come in any more: after a reload, for example.
func (c *Consent) Review() {
	mode := c.mode()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state(mode).Open {
		return
	}
	c.end(taken())
	c.life, c.end = context.WithCancelCause(context.Background())
}

// State is the consent as people see it.
type State struct {
	Mode  Mode
	Open  bool
	Until time.Time // where it is open by somebody's word; zero: without an end
}

// State tells whether support may come in.
func (c *Consent) State() State {
	mode := c.mode()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state(mode)
}

// state is State with the lock held.
func (c *Consent) state(mode Mode) State {
	switch {
	case mode == Allow:
		return State{Mode: mode, Open: true}
	case mode == Ask && time.Now().Before(c.until):
		return State{Mode: mode, Open: true, Until: c.until}
	}
	return State{Mode: mode}
}

func refusedBy(mode Mode) *fault.Error {
	if mode == Deny {
		return fault.New(fault.PolicyDenied, "The plant allows no diagnosis of the agent from afar.").Reaches(fault.ScopeSite).
			Advise("Ask the plant's IT to write `support: ask` into agent.yaml and to run on the agent's host: gantry-agent support on --for 4h")
	}
	return fault.New(fault.PolicyDenied, "Nobody at the plant has let support in.").Reaches(fault.ScopeSite).
		Advise("Ask the plant's IT to run on the agent's host: gantry-agent support on --for 4h")
}

func taken() *fault.Error {
	return fault.New(fault.PolicyDenied, "The plant's consent has ended.").Reaches(fault.ScopeSite).
		Advise("Ask the plant's IT to run on the agent's host: gantry-agent support on --for 4h")
}

// Admit asks for the consent, and gives a context that ends with it. release ends the run's hold.
func (c *Consent) Admit(ctx context.Context) (admitted context.Context, release func(), err error) {
	mode := c.mode()
	c.mu.Lock()
	state, life := c.state(mode), c.life
	c.mu.Unlock()
	if !state.Open {
		return ctx, nil, refusedBy(mode)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
	release = func() { stop(); cancel(nil) }
	if !state.Until.IsZero() {
		timer := time.AfterFunc(time.Until(state.Until), func() { cancel(taken()) })
		release = func() { timer.Stop(); stop(); cancel(nil) }
	}
	return ctx, release, nil
}

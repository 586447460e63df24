package links

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// Session is one live session; *tunnel.Session is one.
type Session interface {
	RoundTripper() http.RoundTripper
	Ping(ctx context.Context) (time.Duration, error)
	Drain(ctx context.Context) error
	Close(reason string)
	Done() <-chan struct{}
	Err() error
}

// Dial opens a session for a slot. retire is to be called, from any goroutine, when the peer says on that session that
// it drains. A refusal is reported by Options.Refusal.
type Dial func(ctx context.Context, slot int, retire func()) (Session, error)

// Refusal is a relay's no.
type Refusal struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Permanent bool   `json:"permanent"` // trying again soon is of no use
}

// Options are what a Supervisor needs. Zero durations mean the defaults.
type Options struct {
	Sessions int
	Dial     Dial
	Refusal  func(error) (Refusal, bool) // tells a refusal from another failure
	Logger   *slog.Logger

	ReconnectMin time.Duration // first back-off, 0.5 s
	ReconnectMax time.Duration // longest back-off, 30 s
	Healthy      time.Duration // life after which the back-off starts anew, 1 min
	RefusedRetry time.Duration // after a permanent refusal, 5 min
	PingInterval time.Duration // 15 s
	PingTimeout  time.Duration // 10 s
	DialTimeout  time.Duration // 30 s
	DrainTimeout time.Duration // for calls under way when stopping or retiring, 30 s
	Jitter       func(limit time.Duration) time.Duration
}

func (o *Options) fill() {
	defaults := []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&o.ReconnectMin, 500 * time.Millisecond}, {&o.ReconnectMax, 30 * time.Second}, {&o.Healthy, time.Minute},
		{&o.RefusedRetry, 5 * time.Minute}, {&o.PingInterval, 15 * time.Second}, {&o.PingTimeout, 10 * time.Second},
		{&o.DialTimeout, 30 * time.Second}, {&o.DrainTimeout, 30 * time.Second},
	}
	for _, d := range defaults {
		if *d.value <= 0 {
			*d.value = d.usual
		}
	}
	o.Sessions = max(o.Sessions, 1)
	if o.Jitter == nil {
		o.Jitter = func(limit time.Duration) time.Duration { return rand.N(limit) }
	}
}

// State names what a slot does.
type State string

// The states of a slot.
const (
	Waiting   State = "waiting"   // for the next try
	Dialing   State = "dialing"   // a try is under way
	Connected State = "connected" // a session is up
	Refused   State = "refused"   // the relay said no for good
	Stopped   State = "stopped"   // the supervisor ended
)

// Status is one slot for people to read.
type Status struct {
	Slot      int           `json:"slot"`
	State     State         `json:"state"`
	Since     time.Time     `json:"since"`
	RoundTrip time.Duration `json:"-"`
	NextTry   time.Time     `json:"next_try,omitzero"`
	Attempts  int           `json:"attempts,omitempty"`   // failed tries in a row
	LastError string        `json:"last_error,omitempty"` // of the last try or session that failed
	Refusal   *Refusal      `json:"refusal,omitempty"`
	Retiring  int           `json:"retiring,omitempty"` // former sessions that still finish calls
}

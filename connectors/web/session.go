package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"gantry/connectors"
)

// Waits after a system said that it had too many logins, where it did not say for how long.
const (
	firstPause = 30 * time.Second
	maxPause   = 15 * time.Minute
)

// Login is how a driver logs in.
type Login[T comparable] struct {
	Do      func(ctx context.Context) (T, error)
	Refused func(*connectors.Failure) bool // the system said no to this user or password
	Limited func(*connectors.Failure) bool // it said: too many
}

// Session keeps one login for many calls. It logs in once, however many callers wait for it.
//
// A login that the system refuses stays refused until the connection is opened anew, with another password or by a
// person's hand: a retry by itself would lock the account. While a system says that there were too many logins, none
// is tried, each time for longer.
type Session[T comparable] struct {
	login Login[T]
	turn  chan struct{} // held by the one who logs in

	state   sync.Mutex
	token   T
	held    bool
	refusal *connectors.Failure
	notTill time.Time
	pause   time.Duration
}

// NewSession prepares a session; nothing is sent.
func NewSession[T comparable](login Login[T]) *Session[T] {
	return &Session[T]{login: login, turn: make(chan struct{}, 1)}
}

// Get gives the token of the login.
func (s *Session[T]) Get(ctx context.Context) (T, error) {
	if token, ok, err := s.known(); ok || err != nil {
		return token, err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
	if token, ok, err := s.known(); ok || err != nil {
		return token, err // whoever was faster
	}
	token, err := s.login.Do(ctx)
	return token, s.learn(token, err)
}

// known gives what an earlier login came to.
func (s *Session[T]) known() (token T, ok bool, err error) {
	s.state.Lock()
	defer s.state.Unlock()
	switch {
	case s.held:
		return s.token, true, nil
	case s.refusal == nil:
		return token, false, nil
	case s.notTill.IsZero():
		return token, false, again(s.refusal, 0)
	case time.Now().Before(s.notTill):
		return token, false, again(s.refusal, time.Until(s.notTill))
	}
	return token, false, nil
}

// again is a refusal that was not asked for anew.
func again(f *connectors.Failure, wait time.Duration) *connectors.Failure {
	same := *f
	same.After = wait
	return &same
}

func (s *Session[T]) learn(token T, err error) error {
	s.state.Lock()
	defer s.state.Unlock()
	if err == nil {
		s.token, s.held, s.refusal, s.pause, s.notTill = token, true, nil, 0, time.Time{}
		return nil
	}
	f, ok := errors.AsType[*connectors.Failure](err)
	switch {
	case !ok:
	case s.login.Limited(f):
		s.pause = min(max(firstPause, 2*s.pause), maxPause)
		s.refusal, s.notTill = f, time.Now().Add(max(s.pause, f.After))
		return again(f, time.Until(s.notTill))
	case s.login.Refused(f):
		s.refusal, s.notTill = f, time.Time{}
	}
	return err
}

// Expired says that the system no longer knows a token; the next Get logs in anew. A token that was replaced meanwhile is
// not thrown away.
func (s *Session[T]) Expired(token T) {
	s.state.Lock()
	defer s.state.Unlock()
	if s.held && s.token == token {
		var none T
		s.token, s.held = none, false
	}
}

// Refuse says that the system refuses a token that no login gets anew: a password that is sent with every call. It stays
// refused, as a refused login does.
func (s *Session[T]) Refuse(token T, f *connectors.Failure) {
	s.state.Lock()
	defer s.state.Unlock()
	if s.held && s.token == token {
		var none T
		s.token, s.held, s.refusal, s.notTill = none, false, f, time.Time{}
	}
}

// Held gives the token if there is one, without logging in.
func (s *Session[T]) Held() (T, bool) {
	s.state.Lock()
	defer s.state.Unlock()
	return s.token, s.held
}

package agent

import (
	"context"
	"errors"

	"gantry/agent/control"
	"gantry/tunnel/enrol"
)

// The reasons for which a running agent does not enrol.
var (
	errEnrolling = errors.New("another enrolment is under way")
	errStopping  = errors.New("the agent stops")
)

// lend lets the people on the host enrol with the store while Run has it open; nil takes it back, after an enrolment
// under way has ended.
func (a *Agent) lend(s *store) {
	a.enrolment.Lock()
	defer a.enrolment.Unlock()
	a.store = s
}

// Enrol implements control.Source. It is the service's own account, keys and way to the relay that count, so the service
// itself enrols; it then serves as who it is now.
func (a *Agent) Enrol(ctx context.Context, tokenText string, force bool) (control.Enrolled, error) {
	token, err := enrol.Parse(tokenText)
	if err != nil {
		return control.Enrolled{}, err
	}
	var enrolled control.Enrolled
	err = a.withStore(func(s *store) error {
		enrolled, err = s.enrol(ctx, a.config, token, Enrolment{Options: a.opts, Force: force})
		return err
	})
	return enrolled, err
}

// Unenrol implements control.Source. The relay is not told.
func (a *Agent) Unenrol(ctx context.Context) error {
	return a.withStore(func(s *store) error { return s.db.Forget(ctx) })
}

// withStore changes who the agent is, one at a time.
func (a *Agent) withStore(change func(*store) error) error {
	if !a.enrolment.TryLock() {
		return errEnrolling
	}
	defer a.enrolment.Unlock()
	if a.store == nil {
		return errStopping
	}
	if err := change(a.store); err != nil {
		return err
	}
	a.turn()
	return nil
}

// turn ends what runs, so that Run looks anew.
func (a *Agent) turn() {
	select {
	case a.changed <- struct{}{}:
	default: // it was told already
	}
}

package engine

import (
	"context"
	"errors"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// Pass passes a system's own request on. Whatever the system answers is the answer; an error is one of the way there, and says of
// a request that may change something what became of it.
func (e *Engine) Pass(ctx context.Context, p connectors.Passage) (connectors.Passed, error) {
	at := place{operation: "passthrough"}
	passer, can := e.conn.(connectors.Passer)
	if !can {
		return connectors.Passed{}, at.in(fault.New(fault.OperationNotSupported, "The system takes no requests of its own.").Ended(fault.NotSent))
	}
	answer, err := passer.Pass(ctx, p)
	if err == nil {
		return answer, nil
	}
	f := e.fault(ctx, at, err)
	if errors.Is(err, connectors.ErrTooLarge) {
		f = at.in(fault.New(fault.PayloadTooLarge, "The system's answer is larger than %d bytes, and was not taken.", connectors.MaxPassed)).
			At(fault.HopSystem).Advise("Ask the system for less at once.").Because(err)
	}
	if failure, bySystem := errors.AsType[*connectors.Failure](err); !p.Effect || !bySystem || !failure.Sent {
		return connectors.Passed{}, f.Ended(fault.NotSent)
	}
	return connectors.Passed{}, f.Ended(fault.Unknown).Advise("Look into the system before you send it again: it may have happened.")
}

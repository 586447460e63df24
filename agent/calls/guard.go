package calls

import (
	"errors"
	"fmt"
	"runtime/debug"

	"gantry/tunnel/fault"
)

// panicked is the cause of a fault that a panic made: for the log, with the stack.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// guard runs do; a panic in it, in a driver most of all, is one failed call and not the end of the agent.
func guard(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fault.New(fault.Internal, "The agent failed while it handled the call.").At(fault.HopAgent).
				Because(&panicked{value, debug.Stack()})
		}
	}()
	return do()
}

// isPanic finds what guard caught.
func isPanic(err error) bool {
	_, ok := errors.AsType[*panicked](err)
	return ok
}

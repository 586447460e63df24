package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// What the driver itself finds, as Failure.Status. The definition's error map sees it as source.status, and source.file and source.line
// where there are any.
const (
	statusMalformed  = "malformed"  // a file is not as it should be; source.moved: it lies in the error folder
	statusExists     = "exists"     // a file of that name, or one that must be absent, is there
	statusAbsent     = "absent"     // there is no snapshot: that is not to say that there are no records
	statusMissing    = "missing"    // a file or folder is not there
	statusPermission = "permission" // the account may not
	statusFull       = "full"       // more files or bytes than the driver takes
	statusRefused    = "refused"    // the login
	statusChanged    = "changed"    // a file changed while it was read
	statusOther      = "other"
)

var (
	errStopped = errors.New("the reader stopped")
	errSlow    = errors.New("the system did not answer in time")
	errClosed  = errors.New("the connection was closed")
	errBusy    = errors.New("the file is in use by another program")
)

func answered(status, format string, args ...any) *connectors.Failure {
	err := fmt.Errorf(format, args...)
	return &connectors.Failure{
		Kind: connectors.Answered, Status: status, Message: err.Error(), Err: err,
		Source: map[string]any{"file": "", "line": int64(0), "moved": false},
	}
}

// malformed is what is wrong with a line of a file.
type malformed struct {
	line int
	text string
}

func (m *malformed) Error() string { return fmt.Sprintf("line %d: %s", m.line, m.text) }

func badLine(line int, format string, args ...any) *malformed {
	return &malformed{line, fmt.Sprintf(format, args...)}
}

// explain turns an error of a place into what connectors.Conn promises.
func explain(ctx, call context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if cause := context.Cause(call); cause != nil {
		kind := connectors.TimedOut
		if errors.Is(cause, errClosed) {
			kind = connectors.Lost
		}
		return &connectors.Failure{Kind: kind, Message: cause.Error(), Source: map[string]any{}, Err: cause}
	}
	if refusal, ok := errors.AsType[*fault.Error](err); ok {
		return refusal
	}
	if f, ok := errors.AsType[*connectors.Failure](err); ok {
		return f
	}
	return classify(err)
}

// classify says what an error of the file system, the network or the peer means.
func classify(err error) *connectors.Failure {
	f := answered(statusOther, "%w", err)
	f.Err = err
	_, cut := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Status = statusPermission
	case errors.Is(err, fs.ErrNotExist):
		f.Status = statusMissing
	case errors.Is(err, fs.ErrExist):
		f.Status = statusExists
	case errors.Is(err, errBusy):
		f.Status = statusChanged
	case cut || broken(err):
		f.Kind, f.Status, f.Message = connectors.Lost, "", "the connection to the system broke"
	}
	return f
}

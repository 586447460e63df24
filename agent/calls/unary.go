package calls

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// answer is the whole of a unary call's answer.
type answer struct {
	status int
	header map[string]string
	body   []byte
}

// handled runs one call to its answer.
type handled func(ctx context.Context, r *http.Request) (answer, error)

// unary bounds a call's time and number, and writes its answer or its fault.
func (h *Handler) unary(do handled) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leave, err := place(h.calls, "calls")
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer leave()
		ctx, cancel := context.WithTimeout(r.Context(), wire.Budget(r.Header, defaultBudget))
		defer cancel()
		var a answer
		err = guard(func() (err error) {
			a, err = do(ctx, r)
			return err
		})
		if err != nil {
			h.fail(w, r, err)
			return
		}
		a.write(w)
	})
}

// write sends the answer. The relay may be gone: there is nobody left to tell.
func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	for name, value := range a.header {
		header.Set(name, value)
	}
	if len(a.body) > 0 {
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json")
		}
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// ok answers with a value as JSON.
func ok(v any) (answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: body}, nil
}

// place takes one of the agent's places; they bound what a relay can make the agent hold.
func place(places chan struct{}, what string) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, fault.New(fault.Overloaded, "The agent runs %d %s already.", cap(places), what).
			At(fault.HopAgent).Reaches(fault.ScopeSite).Ended(fault.NotSent).After(time.Second)
	}
}

// readBody reads a bounded body whole.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, fault.New(fault.PayloadTooLarge, "The body is larger than %d bytes.", limit).Ended(fault.NotSent)
	}
	if err != nil {
		return nil, fault.New(fault.Cancelled, "The body did not arrive whole.").Because(err).Ended(fault.NotSent)
	}
	return body, nil
}

// decode reads a document of package wire.
func decode(r *http.Request, v any) error {
	body, err := readBody(r, 512<<10)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fault.New(fault.InvalidRequest, "The agent cannot read the relay's request.").At(fault.HopRelay).Because(err).
			Advise("Update the agent, or the relay, so that they speak the same protocol.")
	}
	return nil
}

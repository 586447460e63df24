package calls

import (
	"context"
	"encoding/json"
	"net/http"

	"gantry/connectors/wire"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Witness has a new login tried (Opening.Try, once), and tells of each of its steps as it ends. It returns when the try has
// ended.
type Witness func(ctx context.Context, o *Opening, tell func(check.Result))

// openTold logs in, and answers step by step: the relay's caller watches. What is refused before the first step is a
// fault like any other.
func (h *Handler) openTold(w http.ResponseWriter, r *http.Request) {
	leave, err := place(h.calls, "calls")
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), wire.Budget(r.Header, defaultBudget))
	defer cancel()
	o, err := h.opening(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", wire.NDJSON)
	w.WriteHeader(http.StatusOK)
	h.Witness(ctx, o, func(r check.Result) { tellLine(w, map[string]check.Result{"step": r}) })
	if o.err != nil {
		f := h.complete(r, o.err)
		h.log(r, f, o.err)
		tellLine(w, map[string]*fault.Error{"error": f})
		return
	}
	tellLine(w, map[string]wire.Opened{"end": o.opened})
}

// tellLine sends a line at once. The relay may be gone: there is nobody left to tell.
func tellLine(w http.ResponseWriter, document any) {
	line, err := json.Marshal(document)
	if err != nil {
		panic(err) // every member is a plain value: this cannot happen
	}
	_, _ = w.Write(append(line, '\n'))
	_ = http.NewResponseController(w).Flush()
}

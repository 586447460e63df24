package calls

import (
	"context"
	"encoding/json"
	"net/http"

	"gantry/connectors/wire"
)

// health streams what is known of every connection, until the relay goes away.
func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	leave, err := place(h.watches, "streams of health")
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	if err := h.enlist(r.Context()); err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", wire.NDJSON)
	w.WriteHeader(http.StatusOK)
	lines, control := json.NewEncoder(w), http.NewResponseController(w)
	_ = h.Health.Watch(r.Context(), func(one wire.Health) error { // it ends with its reader: there is nobody left to tell
		if err := lines.Encode(one); err != nil {
			return err
		}
		return control.Flush()
	})
}

// enlist begins the health of every connection that the agent holds.
func (h *Handler) enlist(ctx context.Context) error {
	rows, err := h.State.Connections(ctx)
	for _, row := range rows {
		h.Health.Connection(row.ID)
	}
	return err
}

// resetCircuits lets the next call of a connection be made, whatever the last ones met.
func (h *Handler) resetCircuits(ctx context.Context, r *http.Request) (answer, error) {
	if err := h.ResetCircuits(ctx, r.PathValue("c")); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// ResetCircuits closes the circuits of a connection that the agent holds, and probes it at once. The error is a
// *fault.Error.
func (h *Handler) ResetCircuits(ctx context.Context, id string) error {
	c, err := h.pool.find(ctx, id)
	if err != nil {
		return err
	}
	c.health.Reset()
	h.Logger.InfoContext(ctx, "circuits reset", "connection", id)
	return nil
}

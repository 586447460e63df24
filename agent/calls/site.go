package calls

import (
	"context"
	"net/http"
	"slices"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// ping proves that the agent's own loop answers.
func (h *Handler) ping(context.Context, *http.Request) (answer, error) {
	return ok(wire.Pong{AgentID: h.Agent, InstanceID: h.Instance})
}

// catalogue publishes what this agent can connect.
func (h *Handler) catalogue(context.Context, *http.Request) (answer, error) { return ok(h.Catalogue()) }

// Catalogue is what this agent can connect now.
func (h *Handler) Catalogue() wire.Catalogue {
	catalogue := wire.Catalogue{Systems: []wire.System{}}
	for _, d := range h.Definitions().Systems() {
		catalogue.Systems = append(catalogue.Systems, d.Describe())
	}
	return catalogue
}

// reconcile erases the connections that the relay no longer knows: they were disconnected while the agent was away. Of those
// that are paused the logins end.
func (h *Handler) reconcile(ctx context.Context, r *http.Request) (answer, error) {
	var keep wire.Reconcile
	if err := decode(r, &keep); err != nil {
		return answer{}, err
	}
	held, err := h.State.Connections(ctx)
	if err != nil {
		return answer{}, err
	}
	for _, c := range held {
		if slices.Contains(keep.Connections, c.ID) {
			continue
		}
		if err := h.erase(ctx, c.ID); err != nil {
			return answer{}, err
		}
		h.Logger.InfoContext(ctx, "connection erased", "connection", c.ID, "name", c.Name, "reason", "the relay no longer has it")
	}
	h.rest.tell(keep.Paused)
	h.Health.Hurry()
	for _, id := range keep.Paused {
		h.pool.replace(id, nil, errRests())
	}
	return answer{status: http.StatusNoContent}, nil
}

// eraseConnection ends a connection and erases its login and its journal.
func (h *Handler) eraseConnection(ctx context.Context, r *http.Request) (answer, error) {
	id := r.PathValue("c")
	if err := h.erase(ctx, id); err != nil {
		return answer{}, err
	}
	h.Logger.InfoContext(ctx, "connection erased", "connection", id, "request_id", r.Header.Get(wire.HeaderRequestID))
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) erase(ctx context.Context, id string) error {
	if err := h.State.DeleteConnection(ctx, id); err != nil {
		return fault.New(fault.Internal, "The agent cannot erase the connection's login.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
			Because(err).Advise("Ask the plant's IT to check the disk of the agent's state folder.")
	}
	h.pool.replace(id, nil, errErased())
	h.Health.Drop(id)
	return nil
}

// capabilities tells what a connection may do, the plant's policy included.
func (h *Handler) capabilities(ctx context.Context, r *http.Request) (answer, error) {
	c, err := h.pool.find(ctx, r.PathValue("c"))
	if err != nil {
		return answer{}, err
	}
	current := h.Policy.Current()
	if err := current.System(c.who()); err != nil {
		return answer{}, err
	}
	if err := c.awake(current); err != nil {
		return answer{}, err
	}
	_, l, err := h.pool.use(ctx, c)
	if err != nil {
		return answer{}, err
	}
	defer l.release()
	return ok(current.Capabilities(c.who(), seen(l.Capabilities(), c.health)))
}

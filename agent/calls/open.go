package calls

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"gantry/agent/dial"
	"gantry/agent/health"
	"gantry/agent/policy"
	"gantry/agent/state"
	"gantry/connectors/definition"
	"gantry/connectors/seal"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Opening is a login that the agent is asked to keep, if it works. Nothing is kept of one that does not.
type Opening struct {
	handler *Handler
	wish    wire.OpenConnection
	request string // its id

	Login Login

	opened wire.Opened
	err    error
}

// opening judges what the relay asks for.
func (h *Handler) opening(r *http.Request) (*Opening, error) {
	o := &Opening{handler: h, request: r.Header.Get(wire.HeaderRequestID)}
	if err := decode(r, &o.wish); err != nil {
		return nil, err
	}
	if o.wish.Organisation != h.Organisation || o.wish.Site != h.Site {
		return nil, fault.New(fault.Internal, "The relay asks for a connection of another site.").At(fault.HopRelay).Reaches(fault.ScopeSite)
	}
	var err error
	o.Login, err = h.login(r.PathValue("c"), o.wish)
	return o, err
}

// openConnection logs in and answers when that has ended.
func (h *Handler) openConnection(ctx context.Context, r *http.Request) (answer, error) {
	o, err := h.opening(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := o.Try(ctx, nil); err != nil {
		return answer{}, err
	}
	return ok(o.opened)
}

// Allowed asks the plant's policy about the system as such.
func (o *Opening) Allowed() error { return o.handler.Policy.Current().System(o.Login.Connection) }

// Try logs in, once, and keeps the login if it works. The trace sees what the dialer meets; the version is what the system
// says of itself.
func (o *Opening) Try(ctx context.Context, trace *dial.Trace) (version string, err error) {
	o.err = guard(func() error { return o.try(health.ForPerson(dial.WithTrace(ctx, trace))) })
	return o.opened.Product, o.err
}

func (o *Opening) try(ctx context.Context) error {
	if err := o.Allowed(); err != nil { // it may have changed meanwhile
		return err
	}
	h, id := o.handler, o.Login.Connection.ID
	overlay, err := h.overlayInForce(ctx, o.Login.Connection) // of a connection that gets another login
	if err != nil {
		return err
	}
	o.Login.Overlay = overlay
	engine, err := h.Open(ctx, o.Login)
	if err != nil {
		return err
	}
	info, err := engine.Check(ctx)
	if err != nil {
		closeEngine(engine)
		return err
	}
	row := state.Connection{
		ID: id, Organisation: o.wish.Organisation, Site: o.wish.Site, System: o.wish.System, Name: o.wish.Name,
		Settings: o.Login.Settings, Credentials: h.Vault.Encrypt(o.Login.Credentials, purpose(id)), OpenedAt: time.Now(),
	}
	if err := h.State.PutConnection(ctx, row); err != nil {
		closeEngine(engine)
		return fault.New(fault.Internal, "The login works, and the agent cannot store it.").At(fault.HopAgent).Reaches(fault.ScopeSite).
			Because(err).Advise("Ask the plant's IT to check the disk of the agent's state folder.")
	}
	h.enter(row, info.Version, engine, o.Login.Definition)
	h.Logger.InfoContext(ctx, "connection opened", "connection", id, "name", row.Name, "system", row.System, "request_id", o.request)
	o.opened = wire.Opened{System: row.System, Version: o.Login.Definition.Metadata.Version, Product: info.Version}
	return nil
}

// enter takes a login that was just proved and stored into use; one that rests is used later.
func (h *Handler) enter(row state.Connection, product string, engine Engine, d *definition.Definition) {
	known := h.Health.Connection(row.ID)
	known.Renewed(product)
	known.Checked(product, verdicts(engine.Capabilities()))
	if h.rest.pauses(row.ID) {
		closeEngine(engine)
		h.pool.replace(row.ID, nil, errReplaced())
		return
	}
	h.pool.replace(row.ID, opened(row, known, engine, d), errReplaced())
}

// purpose binds a login's box to its connection.
func purpose(id string) string { return "connection " + id }

// login judges what the relay sent and opens the seal.
func (h *Handler) login(id string, o wire.OpenConnection) (Login, error) {
	who := policy.Connection{ID: id, Name: o.Name, System: o.System}
	d, err := h.definition(o.System)
	if err != nil {
		return Login{}, err
	}
	current := h.Policy.Current()
	if err := cmp.Or(current.System(who), current.Hours(who, time.Now())); err != nil {
		return Login{}, err
	}
	login := Login{Connection: who, Definition: d, Settings: o.Settings, Credentials: o.Credentials}
	if len(login.Settings) == 0 {
		login.Settings = json.RawMessage("{}")
	}
	if len(o.Sealed) > 0 {
		if login.Credentials, err = h.unseal(o); err != nil {
			return Login{}, err
		}
	}
	if _, _, err := d.Login.Split(login.Settings, login.Credentials); err != nil {
		return Login{}, err
	}
	return login, nil
}

func (h *Handler) definition(system string) (*definition.Definition, error) {
	if d := h.Definitions().Lookup(system); d != nil {
		return d, nil
	}
	if slices.ContainsFunc(h.Definitions().Faulty(), func(f definition.Faulty) bool { return f.ID == system }) {
		return nil, fault.New(fault.Internal, "The definition of the system %s is faulty.", system).At(fault.HopAgent).Reaches(fault.ScopeConnection).
			Ended(fault.NotSent).Advise("Ask the plant's IT to run on the agent's host: gantry-agent connectors list")
	}
	return nil, fault.New(fault.NotFound, "The agent has no definition of the system %q.", system).At(fault.HopAgent).Reaches(fault.ScopeConnection).
		Advise("GET /systems?site= lists what the site's agent can connect; a newer agent may have more.")
}

// unseal opens credentials that a client sealed to this agent.
func (h *Handler) unseal(o wire.OpenConnection) (json.RawMessage, error) {
	sealed, err := seal.Parse(o.Sealed)
	var plain []byte
	if err == nil {
		plain, err = h.SealingKey.Open(sealed, seal.Place{Organisation: o.Organisation, Site: o.Site, System: o.System, Settings: o.Settings})
	}
	if err == nil {
		return plain, nil
	}
	f := fault.New(fault.ValidationFailed, "The sealed credentials cannot be used.").Reaches(fault.ScopeConnection).Ended(fault.NotSent).
		Because(err).Member("sealed_credentials", "INVALID", "%s", err).
		Advise("Seal them again for exactly this organisation, site, system and these settings.")
	if errors.Is(err, seal.ErrOtherKey) {
		f.Advise("Read the agent's current sealing_key from GET /sites/{id}, compare its fingerprint with the one that the agent shows, and seal them again.")
	}
	return nil, f
}

// reopen logs in with what the agent keeps.
func (h *Handler) reopen(ctx context.Context, row state.Connection) (Engine, *definition.Definition, error) {
	d, err := h.definition(row.System)
	if err != nil {
		return nil, nil, err
	}
	credentials, err := Credentials(h.Vault, row)
	if err != nil {
		return nil, nil, unreadable(err)
	}
	who := policy.Connection{ID: row.ID, Name: row.Name, System: row.System}
	overlay, err := h.overlayInForce(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	engine, err := h.Open(ctx, Login{Connection: who, Definition: d, Settings: row.Settings, Credentials: credentials, Overlay: overlay})
	return engine, d, err
}

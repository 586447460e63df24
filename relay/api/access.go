package api

import (
	"context"
	"net/http"
	"time"

	"gantry/relay/admin"
	"gantry/relay/auth"
	"gantry/tunnel/fault"
)

// headerConnection names the connection for which an organisation key speaks.
const headerConnection = "Gantry-Connection"

// own serves the organisation's own things to a key whose role has the permission.
func (a *API) own(operation string, permission auth.Permission, serve ownAnswer) http.Handler {
	return handler(operation, func(w http.ResponseWriter, r *http.Request) error {
		ctx, p, err := a.authenticate(w, r)
		if err != nil {
			return err
		}
		defer p.Release()
		if err := p.Require(permission); err != nil {
			return err
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(createTime + a.limits.ClientStall))
		return serve(ctx, w, r, p)
	})
}

// data serves one connection's data, to its own token or to an organisation key that names it.
func (a *API) data(operation string, serve dataAnswer) http.Handler {
	return handler(operation, func(w http.ResponseWriter, r *http.Request) error {
		ctx, p, err := a.authenticate(w, r)
		if err != nil {
			return err
		}
		defer p.Release()
		permission := auth.ReadData
		if r.Method != http.MethodGet {
			permission = auth.WriteData
		}
		if err := p.Require(permission); err != nil {
			return err
		}
		if ctx, err = a.narrow(ctx, r, p); err != nil {
			return err
		}
		w.(*visit).connection = p.Connection
		return serve(w, r.WithContext(ctx), p)
	})
}

// authenticate finds the principal and counts the call against its token's rate.
func (a *API) authenticate(w http.ResponseWriter, r *http.Request) (context.Context, *auth.Principal, error) {
	if p := operator(r.Context()); p != nil {
		if p.OrganisationID == "" {
			return r.Context(), nil, fault.New(fault.InvalidRequest, "The request names no organisation.").
				Member(admin.HeaderOrganisation, "REQUIRED", "the id of an organisation")
		}
		return r.Context(), p, nil
	}
	ctx, p, err := a.auth.Authenticate(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		return ctx, nil, err
	}
	w.(*visit).token = p.TokenID
	quota := a.limiter.Take(p.TokenID)
	quota.Mark(w.Header())
	if err := quota.Err(); err != nil {
		p.Release()
		return ctx, nil, err
	}
	return ctx, p, nil
}

// narrow makes sure that the principal speaks for one connection.
func (a *API) narrow(ctx context.Context, r *http.Request, p *auth.Principal) (context.Context, error) {
	id := r.Header.Get(headerConnection)
	switch {
	case id != "":
		return a.auth.Narrow(ctx, p, id)
	case p.Connection == nil:
		return ctx, fault.New(fault.InvalidRequest, "An organisation key reads a connection's data only when the request names the connection.").
			Member(headerConnection, "REQUIRED", "the id of a connection").
			Advise("Send the header %s: <id>, or use the connection's own token.", headerConnection)
	}
	return ctx, nil
}

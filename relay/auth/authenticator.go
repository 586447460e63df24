package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Authenticator finds who a token belongs to. It is safe for concurrent use and starts no goroutine.
type Authenticator struct {
	store store.Store
	now   func() time.Time
	cache cache
}

// New makes an authenticator over the store. now is the clock; nil: time.Now.
func New(s store.Store, now func() time.Time) *Authenticator {
	if now == nil {
		now = time.Now
	}
	return &Authenticator{store: s, now: now, cache: cache{entries: map[string]*entry{}, limit: cacheSize}}
}

// Authenticate finds the principal of an Authorization header (`Bearer <token>`). The returned context is ctx, and ends,
// with a *fault.Error as its cause, when the token is revoked or expires or its connection ends. Release the principal when
// the request is done. The error is a *fault.Error: AUTHENTICATION_FAILED, TOKEN_REVOKED or CONNECTION_DISCONNECTED, or
// INTERNAL where the store fails.
func (a *Authenticator) Authenticate(ctx context.Context, authorization string) (context.Context, *Principal, error) {
	kind, hash, err := readBearer(authorization)
	if err != nil {
		return ctx, nil, err
	}
	held, err := a.cache.hold(string(kind)+string(hash[:]), func() (entry, error) {
		if kind == OrganisationKey {
			return a.findKey(ctx, hash)
		}
		return a.findToken(ctx, hash)
	})
	if err != nil {
		return ctx, nil, err
	}
	if held.expired(a.now()) {
		a.cache.release(held)
		return ctx, nil, errExpired()
	}
	p := &Principal{
		Kind: kind, TokenID: held.token, OrganisationID: held.organisation, Name: held.name, Role: held.role, Connection: held.connection,
	}
	return a.bind(ctx, p, held), p, nil
}

// Narrow names the connection whose data an organisation key is used for (the header Gantry-Connection), and gives a
// context that also ends when the connection does. The error is NOT_FOUND or CONNECTION_DISCONNECTED.
func (a *Authenticator) Narrow(ctx context.Context, p *Principal, id string) (context.Context, error) {
	if p.Connection != nil {
		if p.Connection.ID != id {
			return ctx, errNoConnection()
		}
		return ctx, nil
	}
	held, err := a.cache.hold(p.OrganisationID+"/"+id, func() (entry, error) { return a.findConnection(ctx, p.OrganisationID, id) })
	if err != nil {
		return ctx, err
	}
	p.Connection = held.connection
	return a.bind(ctx, p, held), nil
}

// bind ties a context to a held entry until the principal is released.
func (a *Authenticator) bind(ctx context.Context, p *Principal, held *entry) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(held.life, func() { cancel(context.Cause(held.life)) })
	release := func() { stop(); cancel(nil); a.cache.release(held) }
	if !held.expires.IsZero() {
		timer := time.AfterFunc(held.expires.Sub(a.now()), func() { cancel(errExpired()) })
		revocation := release
		release = func() { timer.Stop(); revocation() }
	}
	p.release = append(p.release, release)
	return ctx
}

func (a *Authenticator) findKey(ctx context.Context, hash store.Hash) (entry, error) {
	key, err := a.store.KeyByHash(ctx, hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return entry{}, errUnknown()
	case err != nil:
		return entry{}, errStore(err)
	case !key.RevokedAt.IsZero():
		return entry{}, errKeyRevoked()
	}
	return entry{subjects: []string{key.ID}, token: key.ID, organisation: key.OrganisationID, name: key.Name, role: key.Role, expires: key.ExpiresAt}, nil
}

func (a *Authenticator) findToken(ctx context.Context, hash store.Hash) (entry, error) {
	token, err := a.store.TokenByHash(ctx, hash)
	connection := &token.Connection
	switch {
	case errors.Is(err, store.ErrNotFound):
		return entry{}, errUnknown()
	case err != nil:
		return entry{}, errStore(err)
	case connection.State == store.Disconnected:
		return entry{}, errDisconnected(connection.ID)
	case !token.RevokedAt.IsZero():
		return entry{}, errTokenReplaced(connection.ID)
	}
	return entry{
		subjects: []string{connection.ID, tokenOf(connection.ID)}, token: token.ID,
		organisation: connection.OrganisationID, connection: connection,
	}, nil
}

func (a *Authenticator) findConnection(ctx context.Context, organisation, id string) (entry, error) {
	connection, err := a.store.Connection(ctx, organisation, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && connection.State == store.Pending:
		return entry{}, errNoConnection()
	case err != nil:
		return entry{}, errStore(err)
	case connection.State == store.Disconnected:
		return entry{}, errDisconnected(id)
	}
	return entry{subjects: []string{id}, organisation: organisation, connection: &connection}, nil
}

// readBearer takes the token out of the header. RFC 9110: the scheme's case does not matter.
func readBearer(authorization string) (Kind, store.Hash, error) {
	if authorization == "" {
		return "", store.Hash{}, fault.New(fault.AuthenticationFailed, "The request has no Authorization header.")
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", store.Hash{}, fault.New(fault.AuthenticationFailed, "The Authorization header is not of the scheme Bearer.")
	}
	kind, hash, err := ParseToken(strings.TrimSpace(token))
	if err != nil {
		return "", store.Hash{}, fault.New(fault.AuthenticationFailed, "The token is not whole: %v.", err)
	}
	return kind, hash, nil
}

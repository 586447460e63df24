package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// keyDocument is an organisation key; its token is shown once, when it is made.
type keyDocument struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      store.Role `json:"role"`
	CreatedAt *time.Time `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Token     string     `json:"token,omitempty"`
}

// keyWish is the body of POST /keys.
type keyWish struct {
	Name      string     `json:"name"`                // for people; up to 200 bytes
	Role      store.Role `json:"role"`                // what the key may do
	ExpiresAt time.Time  `json:"expires_at,omitzero"` // never, if left out
}

func showKey(k store.Key) keyDocument {
	return keyDocument{k.ID, k.Name, k.Role, moment(k.CreatedAt), moment(k.ExpiresAt), moment(k.RevokedAt), ""}
}

// ownKeyDocument is the key that asks.
type ownKeyDocument struct {
	keyDocument
	SignOuts int `json:"sign_outs"` // how often all its sign-ins to the dashboard were ended: one holds while this is what it was then
}

func showOwnKey(k store.Key) ownKeyDocument { return ownKeyDocument{showKey(k), k.SignOuts} }

// getOwnKey shows the key that asks.
func (a *API) getOwnKey(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	key, err := a.store.Key(ctx, p.OrganisationID, p.TokenID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, showOwnKey(key))
}

// signOut ends all sign-ins with the key that asks.
func (a *API) signOut(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	about(w, store.Subject{Target: p.TokenID})
	key, err := a.store.SignOut(ctx, p.OrganisationID, p.TokenID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, showOwnKey(key))
}

func (a *API) listKeys(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	_, asked, err := page(r)
	if err != nil {
		return err
	}
	rows, err := a.store.Keys(ctx, p.OrganisationID, asked)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, paged(rows, asked, func(k store.Key) string { return k.ID }, showKey))
}

func (a *API) createKey(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[keyWish](body)
	if err != nil {
		return err
	}
	if err := label("name", wish.Name); err != nil {
		return err
	}
	if !slices.Contains(store.Roles(), wish.Role) {
		return fault.New(fault.InvalidRequest, "There is no such role.").Member("role", "INVALID", "admin, support or read")
	}
	if !wish.ExpiresAt.IsZero() && time.Until(wish.ExpiresAt) <= 0 {
		return fault.New(fault.InvalidRequest, "The key would have expired already.").Member("expires_at", "INVALID", "must be in the future")
	}
	text, hash := auth.NewToken(auth.OrganisationKey)
	key, err := a.store.CreateKey(ctx, store.NewKey{
		OrganisationID: p.OrganisationID, Name: wish.Name, Role: wish.Role, Hash: hash, ExpiresAt: wish.ExpiresAt,
	})
	if err != nil {
		return err
	}
	about(w, store.Subject{Target: key.ID})
	made := showKey(key)
	made.Token = text
	w.Header().Set("Location", "/api/v1/keys/"+key.ID)
	return reply(w, http.StatusCreated, made)
}

func (a *API) deleteKey(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	if _, err := a.store.RevokeKey(ctx, p.OrganisationID, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

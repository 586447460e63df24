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

package relay

import (
	"context"
	"time"

	"gantry/relay/admin"
	"gantry/relay/dashboard"
)

// visitorKey makes a key for whoever follows a sign-in link.
func (r *Relay) visitorKey(ctx context.Context, v dashboard.Visitor, ends time.Time) (string, error) {
	key, err := admin.Direct{Store: r.store}.CreateKey(ctx, v.Organisation, admin.NewKey{Name: "sign-in link", Role: v.Role, ExpiresAt: ends})
	return key.Token, err
}

// SignInLink makes an address that signs in to the pages whoever follows it first.
func (r *Relay) SignInLink(ctx context.Context, organisation string, wish admin.NewSignInLink) (admin.SignInLink, error) {
	if err := wish.Check(); err != nil {
		return admin.SignInLink{}, err
	}
	if _, err := (admin.Direct{Store: r.store}).Keys(ctx, organisation); err != nil { // there is no such organisation
		return admin.SignInLink{}, err
	}
	ends := time.Now().Add(wish.Life).UTC().Truncate(time.Second)
	address, err := r.dashboard.Link(dashboard.Visitor{Organisation: organisation, Role: wish.Role}, ends)
	return admin.SignInLink{Link: address, Role: wish.Role, ExpiresAt: ends}, err
}

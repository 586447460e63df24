package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Direct administers a store. In a relay that serves, it is the one that auth.Authenticator.Store gives.
type Direct struct{ Store store.Store }

var _ Administration = Direct{}

// maxName and maxCredits bound what people may write.
const (
	maxName    = 200
	maxCredits = 1_000_000
)

// Organisations implements Administration.
func (d Direct) Organisations(ctx context.Context) ([]Organisation, error) {
	all := []Organisation{}
	err := pages(func(page store.Page) ([]store.Organisation, error) { return d.Store.Organisations(ctx, page) },
		func(o store.Organisation) (string, error) {
			credits, err := d.Store.Credits(ctx, o.ID)
			all = append(all, showOrganisation(o, credits))
			return o.ID, err
		})
	return all, told(err)
}

// CreateOrganisation implements Administration.
func (d Direct) CreateOrganisation(ctx context.Context, wish NewOrganisation) (Organisation, error) {
	name, problem := checkName(wish.Name)
	if problem == nil {
		problem = checkCredits(wish.Credits)
	}
	if problem != nil {
		return Organisation{}, problem
	}
	o, err := d.Store.CreateOrganisation(ctx, name, wish.Credits)
	if err != nil {
		return Organisation{}, told(err)
	}
	return showOrganisation(o, store.Credits{Total: o.Credits}), d.record(ctx, o.ID, "organisations.create", o.ID)
}

// SetCredits implements Administration.
func (d Direct) SetCredits(ctx context.Context, organisation string, credits int) (Organisation, error) {
	if err := checkCredits(credits); err != nil {
		return Organisation{}, err
	}
	o, err := d.Store.SetCredits(ctx, organisation, credits)
	if err != nil {
		return Organisation{}, told(err)
	}
	used, err := d.Store.Credits(ctx, organisation)
	if err != nil {
		return Organisation{}, told(err)
	}
	return showOrganisation(o, used), d.record(ctx, o.ID, "organisations.credits", o.ID)
}

// Keys implements Administration.
func (d Direct) Keys(ctx context.Context, organisation string) ([]Key, error) {
	if _, err := d.Store.Organisation(ctx, organisation); err != nil {
		return nil, told(err)
	}
	all := []Key{}
	err := pages(func(page store.Page) ([]store.Key, error) { return d.Store.Keys(ctx, organisation, page) },
		func(k store.Key) (string, error) {
			all = append(all, showKey(k, ""))
			return k.ID, nil
		})
	return all, told(err)
}

// CreateKey implements Administration.
func (d Direct) CreateKey(ctx context.Context, organisation string, wish NewKey) (Key, error) {
	name, problem := checkName(wish.Name)
	switch {
	case problem != nil:
	case !slices.Contains(store.Roles(), wish.Role):
		problem = invalid("role", "should be admin, support or read")
	case !wish.ExpiresAt.IsZero() && !wish.ExpiresAt.After(time.Now()):
		problem = invalid("expires_at", "should be in the future")
	}
	if problem != nil {
		return Key{}, problem
	}
	token, hash := auth.NewToken(auth.OrganisationKey)
	key, err := d.Store.CreateKey(ctx, store.NewKey{
		OrganisationID: organisation, Name: name, Role: wish.Role, Hash: hash, ExpiresAt: wish.ExpiresAt,
	})
	if err != nil {
		return Key{}, told(err)
	}
	return showKey(key, token), d.record(ctx, organisation, "keys.create", key.ID)
}

// RevokeKey implements Administration.
func (d Direct) RevokeKey(ctx context.Context, organisation, id string) (Key, error) {
	key, err := d.Store.RevokeKey(ctx, organisation, id)
	if err != nil {
		return Key{}, told(err)
	}
	return showKey(key, ""), d.record(ctx, organisation, "keys.delete", key.ID)
}

// record puts what was done into the organisation's audit.
func (d Direct) record(ctx context.Context, organisation, action, target string) error {
	owner := auth.OperatorOf(organisation)
	_, err := d.Store.RecordAudit(ctx, store.AuditEntry{
		OrganisationID: organisation, Actor: store.Actor{Name: owner.Name, Role: owner.Role}, Action: action,
		Subject: store.Subject{Target: target}, Result: "OK",
	})
	return told(err)
}

// pages walks a list of the store; each gives a row's id.
func pages[R any](read func(store.Page) ([]R, error), each func(R) (string, error)) error {
	for page := (store.Page{Limit: store.MaxPage}); ; {
		rows, err := read(page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if page.After, err = each(row); err != nil {
				return err
			}
		}
		if len(rows) < page.Limit {
			return nil
		}
	}
}

func showOrganisation(o store.Organisation, c store.Credits) Organisation {
	return Organisation{o.ID, o.Name, Credits{c.Total, c.Used, c.Available()}, o.CreatedAt}
}

func showKey(k store.Key, token string) Key {
	return Key{k.ID, k.OrganisationID, k.Name, k.Role, token, k.CreatedAt, k.ExpiresAt, k.RevokedAt}
}

func checkCredits(credits int) error {
	if credits < 0 || credits > maxCredits {
		return invalid("credits", "should be a number from 0 to %d", maxCredits)
	}
	return nil
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxName {
		return "", invalid("name", "should have 1 to %d characters", maxName)
	}
	return name, nil
}

func invalid(member, format string, args ...any) error {
	e := fault.New(fault.InvalidRequest, "The request cannot be taken as it is.").Member(member, "INVALID", format, args...)
	e.Detail = "The " + member + " " + e.Fields[0].Message + "."
	return e
}

// told makes a store's error one for people.
func told(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "There is no such organisation, or no such key of it.").
			Advise("See: gantry-relay orgs list").Because(err)
	case errors.Is(err, store.ErrReadOnly):
		return fault.New(fault.Overloaded, "The data folder cannot be written: the disk is full or read-only.").
			Advise("Make room in the data folder and try again.").Because(err)
	}
	return fault.From(err, fault.HopRelay)
}

package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/relay/store/sqlite"
	"gantry/tunnel/fault"
)

// fixture is an authenticator over a real store with an organisation, a key and a connection.
type fixture struct {
	*auth.Authenticator
	store        store.Store // guarded
	organisation string
	key          store.Key
	keyText      string
	connection   store.Connection
	tokenText    string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	file, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	a := auth.New(file, nil)
	f := &fixture{Authenticator: a, store: a.Store()}
	f.organisation = f.addOrganisation(t)
	f.keyText, f.key = f.addKey(t, store.Admin, time.Time{})
	f.tokenText, f.connection = f.addConnection(t)
	return f
}

func (f *fixture) addOrganisation(t *testing.T) string {
	t.Helper()
	o, err := f.store.CreateOrganisation(t.Context(), "Plant Ltd", 10)
	if err != nil {
		t.Fatal(err)
	}
	return o.ID
}

func (f *fixture) addKey(t *testing.T, role store.Role, expires time.Time) (string, store.Key) {
	t.Helper()
	text, hash := auth.NewToken(auth.OrganisationKey)
	key, err := f.store.CreateKey(t.Context(), store.NewKey{OrganisationID: f.organisation, Name: "CI", Role: role, Hash: hash, ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	return text, key
}

func (f *fixture) addConnection(t *testing.T) (string, store.Connection) {
	t.Helper()
	ctx := t.Context()
	site, err := f.store.CreateSite(ctx, f.organisation, "Plant 1")
	if err != nil {
		t.Fatal(err)
	}
	id := store.NewID(store.AgentID, time.Now())
	hash := store.Hash([]byte(id + "                                ")[:32])
	_, err1 := f.store.CreateEnrolment(ctx, f.organisation, site.ID, hash, time.Now().Add(time.Hour))
	_, err2 := f.store.Enrol(ctx, hash, store.NewAgent{ID: id, CertificateExpiresAt: time.Now().Add(time.Hour)})
	c, err3 := f.store.ReserveConnection(ctx, store.NewConnection{OrganisationID: f.organisation, SiteID: site.ID, AgentID: id, System: "demo", Tier: 1})
	text, token := auth.NewToken(auth.ConnectionToken)
	c, err4 := f.store.ActivateConnection(ctx, c.ID, token, nil, store.Note{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return text, c
}

func (f *fixture) enter(t *testing.T, token string) (context.Context, *auth.Principal) {
	t.Helper()
	ctx, p, err := f.Authenticate(t.Context(), "Bearer "+token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return ctx, p
}

// refused checks that a token is refused with a code.
func (f *fixture) refused(t *testing.T, token string, code fault.Code) {
	t.Helper()
	_, p, err := f.Authenticate(t.Context(), "Bearer "+token)
	if err == nil {
		p.Release()
	}
	if !fault.Is(err, code) {
		t.Errorf("refused with %v, want %s", err, code)
	}
}

// cut checks that a context ends with a code as its cause.
func cut(t *testing.T, ctx context.Context, code fault.Code) {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("what is under way goes on")
	}
	if cause := context.Cause(ctx); !fault.Is(cause, code) {
		t.Errorf("cut with %v, want %s", cause, code)
	}
}

func goesOn(t *testing.T, ctx context.Context) {
	t.Helper()
	if ctx.Err() != nil {
		t.Errorf("cut with %v", context.Cause(ctx))
	}
}

func TestAuthenticate(t *testing.T) {
	f := newFixture(t)
	_, key := f.enter(t, f.keyText)
	if key.Kind != auth.OrganisationKey || key.OrganisationID != f.organisation || key.Role != store.Admin || key.TokenID != f.key.ID || key.Connection != nil {
		t.Errorf("the key is %+v", key)
	}
	_, token := f.enter(t, f.tokenText)
	if token.Kind != auth.ConnectionToken || token.OrganisationID != f.organisation || token.Connection.ID != f.connection.ID {
		t.Errorf("the token is %+v", token)
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	stranger, _ := auth.NewToken(auth.OrganisationKey)
	for name, header := range map[string]string{
		"no header": "", "another scheme": "Basic " + f.keyText, "no token": "Bearer", "cut": "Bearer " + f.keyText[:20], "unknown": "Bearer " + stranger,
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := f.Authenticate(t.Context(), header); !fault.Is(err, fault.AuthenticationFailed) {
				t.Errorf("%v", err)
			}
		})
	}
	expired, _ := f.addKey(t, store.Read, time.Now().Add(-time.Second))
	f.refused(t, expired, fault.AuthenticationFailed)
	f.refused(t, expired, fault.AuthenticationFailed) // from memory
}

func TestRevokedKeyEndsAtOnce(t *testing.T) {
	f := newFixture(t)
	ctx, _ := f.enter(t, f.keyText)
	other, _ := f.enter(t, f.tokenText)
	if _, err := f.store.RevokeKey(t.Context(), f.organisation, f.key.ID); err != nil {
		t.Fatal(err)
	}
	cut(t, ctx, fault.TokenRevoked)
	f.refused(t, f.keyText, fault.TokenRevoked)
	goesOn(t, other)
}

func TestReplacedTokenEndsAtOnce(t *testing.T) {
	f := newFixture(t)
	ctx, _ := f.enter(t, f.tokenText)
	_, key := f.enter(t, f.keyText)
	byKey, err := f.Narrow(t.Context(), key, f.connection.ID)
	if err != nil {
		t.Fatal(err)
	}
	text, hash := auth.NewToken(auth.ConnectionToken)
	if _, err := f.store.ReplaceToken(t.Context(), f.organisation, f.connection.ID, hash, store.Note{}); err != nil {
		t.Fatal(err)
	}
	cut(t, ctx, fault.TokenRevoked)
	f.refused(t, f.tokenText, fault.TokenRevoked)
	f.enter(t, text)
	goesOn(t, byKey) // the key did not change
}

func TestDisconnectedConnectionEndsAtOnce(t *testing.T) {
	ends := map[string]func(*fixture) error{
		"disconnect": func(f *fixture) error {
			_, err := f.store.Disconnect(context.Background(), f.organisation, f.connection.ID, store.Note{})
			return err
		},
		"delete its site": func(f *fixture) error {
			_, err := f.store.DeleteSite(context.Background(), f.organisation, f.connection.SiteID, store.Note{})
			return err
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			byToken, _ := f.enter(t, f.tokenText)
			own, key := f.enter(t, f.keyText)
			byKey, err := f.Narrow(own, key, f.connection.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(f); err != nil {
				t.Fatal(err)
			}
			cut(t, byToken, fault.ConnectionDisconnected)
			cut(t, byKey, fault.ConnectionDisconnected)
			goesOn(t, own)
			f.refused(t, f.tokenText, fault.ConnectionDisconnected)
			_, again := f.enter(t, f.keyText)
			if _, err := f.Narrow(t.Context(), again, f.connection.ID); !fault.Is(err, fault.ConnectionDisconnected) {
				t.Errorf("the key still reaches it: %v", err)
			}
		})
	}
}

func TestNarrow(t *testing.T) {
	f := newFixture(t)
	_, other := f.addConnection(t)
	foreign := *f
	foreign.organisation = f.addOrganisation(t)
	foreignText, _ := foreign.addKey(t, store.Admin, time.Time{})

	_, token := f.enter(t, f.tokenText)
	_, stranger := f.enter(t, foreignText)
	_, key := f.enter(t, f.keyText)
	tests := []struct {
		name      string
		principal *auth.Principal
		id        string
		ok        bool
	}{
		{"a token to its own", token, f.connection.ID, true},
		{"a token to another", token, other.ID, false},
		{"a foreign key", stranger, f.connection.ID, false},
		{"a key to none that is", key, "con_0", false},
		{"a key to one of its own", key, f.connection.ID, true},
		{"a key to another as well", key, other.ID, false}, // one request, one connection
	}
	for _, test := range tests { // in this order: narrowing lasts
		_, err := f.Narrow(t.Context(), test.principal, test.id)
		if test.ok && err != nil || !test.ok && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestRevocationRacesLookup revokes while many requests find the key: whoever got in is cut, and nobody gets in later.
func TestRevocationRacesLookup(t *testing.T) {
	f := newFixture(t)
	for range 20 {
		text, key := f.addKey(t, store.Read, time.Time{})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				ctx, p, err := f.Authenticate(t.Context(), "Bearer "+text)
				if err != nil {
					return
				}
				defer p.Release()
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Second):
					t.Error("a revoked key goes on")
				}
			})
		}
		if _, err := f.store.RevokeKey(t.Context(), f.organisation, key.ID); err != nil {
			t.Fatal(err)
		}
		f.refused(t, text, fault.TokenRevoked)
		all.Wait()
	}
}

func TestReleaseEndsTheContext(t *testing.T) {
	f := newFixture(t)
	ctx, p, err := f.Authenticate(t.Context(), "bearer "+f.keyText)
	if err != nil {
		t.Fatal(err)
	}
	p.Release()
	p.Release()
	if ctx.Err() == nil {
		t.Error("the context outlives its principal")
	}
}

// fakeStore answers with one key that expires.
type fakeStore struct {
	store.Store
	key store.Key
}

func (s fakeStore) KeyByHash(context.Context, store.Hash) (store.Key, error) { return s.key, nil }

func TestKeyExpiresInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := auth.New(fakeStore{key: store.Key{ID: "key_1", Role: store.Read, ExpiresAt: time.Now().Add(time.Minute)}}, nil)
		text, _ := auth.NewToken(auth.OrganisationKey)
		ctx, p, err := a.Authenticate(t.Context(), "Bearer "+text)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Release()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		goesOn(t, ctx)
		time.Sleep(2 * time.Second)
		cut(t, ctx, fault.AuthenticationFailed)
		if _, _, err := a.Authenticate(t.Context(), "Bearer "+text); !fault.Is(err, fault.AuthenticationFailed) {
			t.Errorf("an expired key: %v", err)
		}
	})
}

func TestPermissions(t *testing.T) {
	want := map[string]string{
		"admin":   "view diagnose manage read_data write_data",
		"support": "view diagnose read_data",
		"read":    "view read_data",
		"token":   "read_data write_data",
	}
	who := map[string]*auth.Principal{"token": {Kind: auth.ConnectionToken}}
	for _, role := range store.Roles() {
		who[string(role)] = &auth.Principal{Kind: auth.OrganisationKey, Role: role}
	}
	for name, p := range who {
		var may strings.Builder
		for _, permission := range []auth.Permission{auth.View, auth.Diagnose, auth.Manage, auth.ReadData, auth.WriteData} {
			err := p.Require(permission)
			if err == nil {
				may.WriteString(" " + string(permission))
			} else if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s, %s: %v", name, permission, err)
			}
		}
		if may.String() != " "+want[name] {
			t.Errorf("%s may%s, want %s", name, may.String(), want[name])
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	a := auth.New(fakeStore{key: store.Key{ID: "key_1", Role: store.Read}}, nil)
	text, _ := auth.NewToken(auth.OrganisationKey)
	header := fmt.Sprint("Bearer ", text)
	b.ReportAllocs()
	for b.Loop() {
		_, p, err := a.Authenticate(b.Context(), header)
		if err != nil {
			b.Fatal(err)
		}
		p.Release()
	}
}

package admin_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/relay/admin"
	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/relay/store/sqlite"
	"gantry/tunnel/fault"
)

// newStore opens a store, guarded as the relay's is.
func newStore(t *testing.T, dir string) *auth.Authenticator {
	t.Helper()
	file, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return auth.New(file, nil)
}

// serve answers on dir's socket until the test ends.
func serve(t *testing.T, dir string, a admin.Administration) {
	t.Helper()
	listener, err := admin.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- admin.Serve(ctx, listener, admin.Service{Administration: a}, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// TestAdministration asks for the same of a store and of a relay that serves one.
func TestAdministration(t *testing.T) {
	ways := map[string]func(*testing.T) admin.Administration{
		"direct": func(t *testing.T) admin.Administration {
			return admin.Direct{Store: newStore(t, t.TempDir()).Store()}
		},
		"socket": func(t *testing.T) admin.Administration {
			dir := t.TempDir()
			serve(t, dir, admin.Direct{Store: newStore(t, dir).Store()})
			return admin.NewClient(dir)
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) { testAdministration(t, way(t)) })
	}
}

func testAdministration(t *testing.T, a admin.Administration) {
	ctx := t.Context()
	o, err := a.CreateOrganisation(ctx, admin.NewOrganisation{Name: " Example Ltd ", Credits: 10})
	if err != nil {
		t.Fatal(err)
	}
	if o.Name != "Example Ltd" || o.Credits != (admin.Credits{Total: 10, Available: 10}) {
		t.Errorf("founded %+v", o)
	}
	key, err := a.CreateKey(ctx, o.ID, admin.NewKey{Name: "CI", Role: store.Support, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if kind, _, err := auth.ParseToken(key.Token); err != nil || kind != auth.OrganisationKey {
		t.Errorf("its token is no key: %v", err)
	}
	key.Token = ""
	keys, err := a.Keys(ctx, o.ID)
	if diff := cmp.Diff([]admin.Key{key}, keys); diff != "" || err != nil {
		t.Errorf("keys: %v\n%s", err, diff)
	}
	revoked, err := a.RevokeKey(ctx, o.ID, key.ID)
	if err != nil || revoked.RevokedAt.IsZero() {
		t.Errorf("revoked %+v, %v", revoked, err)
	}
	all, err := a.Organisations(ctx)
	if diff := cmp.Diff([]admin.Organisation{o}, all); diff != "" || err != nil {
		t.Errorf("organisations: %v\n%s", err, diff)
	}
	testRefusals(t, a, o.ID)
}

func testRefusals(t *testing.T, a admin.Administration, organisation string) {
	create := func(organisation string, wish admin.NewKey) error {
		_, err := a.CreateKey(t.Context(), organisation, wish)
		return err
	}
	found := func(wish admin.NewOrganisation) error {
		_, err := a.CreateOrganisation(t.Context(), wish)
		return err
	}
	_, strangers := a.Keys(t.Context(), "org_0")
	_, unknown := a.RevokeKey(t.Context(), organisation, "key_0")
	tests := map[string]struct {
		err  error
		code fault.Code
	}{
		"no name":           {found(admin.NewOrganisation{Name: " "}), fault.InvalidRequest},
		"a long name":       {found(admin.NewOrganisation{Name: strings.Repeat("x", 201)}), fault.InvalidRequest},
		"negative credits":  {found(admin.NewOrganisation{Name: "x", Credits: -1}), fault.InvalidRequest},
		"an odd role":       {create(organisation, admin.NewKey{Name: "x", Role: "root"}), fault.InvalidRequest},
		"an expired key":    {create(organisation, admin.NewKey{Name: "x", Role: store.Read, ExpiresAt: time.Unix(1, 0)}), fault.InvalidRequest},
		"a stranger's key":  {create("org_0", admin.NewKey{Name: "x", Role: store.Read}), fault.NotFound},
		"a stranger's keys": {strangers, fault.NotFound},
		"an unknown key":    {unknown, fault.NotFound},
	}
	for name, test := range tests {
		if !fault.Is(test.err, test.code) {
			t.Errorf("%s: %v, want %s", name, test.err, test.code)
		}
	}
}

// TestRevocationReachesTheRelay revokes a key through the socket while a request of it runs.
func TestRevocationReachesTheRelay(t *testing.T) {
	dir := t.TempDir()
	authenticator := newStore(t, dir)
	serve(t, dir, admin.Direct{Store: authenticator.Store()})
	client := admin.NewClient(dir)
	o, err := client.CreateOrganisation(t.Context(), admin.NewOrganisation{Name: "Example"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := client.CreateKey(t.Context(), o.ID, admin.NewKey{Name: "CI", Role: store.Admin})
	if err != nil {
		t.Fatal(err)
	}
	ctx, principal, err := authenticator.Authenticate(t.Context(), "Bearer "+key.Token)
	if err != nil {
		t.Fatal(err)
	}
	defer principal.Release()
	if _, err := client.RevokeKey(t.Context(), o.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	if !fault.Is(context.Cause(ctx), fault.TokenRevoked) {
		t.Errorf("what runs ended with %v", context.Cause(ctx))
	}
}

func TestNobodyThere(t *testing.T) {
	dir := t.TempDir()
	if _, err := admin.NewClient(dir).Organisations(t.Context()); !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("without a socket: %v", err)
	}
	dead, err := net.Listen("unix", filepath.Join(dir, admin.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.NewClient(dir).Organisations(t.Context()); !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("with a dead socket: %v", err)
	}
	serve(t, dir, admin.Direct{Store: newStore(t, dir).Store()})
	if _, err := admin.NewClient(dir).Organisations(t.Context()); err != nil {
		t.Errorf("after the dead one was replaced: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, admin.SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v %v", info.Mode(), err)
	}
}

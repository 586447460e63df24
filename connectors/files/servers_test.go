//go:build systems

package files_test

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/conformance"
	"gantry/connectors/files"
)

// The OpenSSH and the Samba that `make systems` starts, and their folders: the second path by which every file is seen.
const (
	servers      = "../../.systems/drops"
	serversUser  = "gantrydrop"
	serversWord  = "Drop-pw-2026"
	conformation = "conformance"
)

func readServers(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(servers, name))
	if err != nil {
		t.Fatalf("there is no OpenSSH and no Samba; run `make systems`: %v", err)
	}
	return strings.TrimSpace(string(text))
}

// freshFolder makes a folder of a server's, with nothing in it, that its account may change.
func freshFolder(t testing.TB, server, name string) string {
	t.Helper()
	root := filepath.Join(servers, server, name)
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"", "parts", "many", "in", "out"} {
		path := filepath.Join(root, folder)
		if err := os.MkdirAll(path, 0o777); err != nil {
			t.Fatalf("there is no OpenSSH and no Samba; run `make systems`: %v", err)
		}
		if err := os.Chmod(path, 0o777); err != nil { // the umask takes the others' right away
			t.Fatal(err)
		}
	}
	return root
}

func dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func sftpTarget(t testing.TB, folder string) connectors.Target {
	return connectors.Target{
		Dialect: "sftp", Limits: connectors.Limits{Concurrency: 4}, Dial: dialLoopback,
		Settings:    map[string]any{"host": "127.0.0.1", "port": int64(12222), "username": serversUser, "path": folder, "host_key": readServers(t, "hostkey.pub")},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret(serversWord)},
	}
}

func smbTarget(t testing.TB, folder string) connectors.Target {
	readServers(t, "smb.conf")
	return connectors.Target{
		Dialect: "smb", Limits: connectors.Limits{Concurrency: 4}, Dial: dialLoopback,
		Settings:    map[string]any{"host": "127.0.0.1", "port": int64(14450), "username": serversUser, "share": "exchange", "path": folder},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret(serversWord)},
	}
}

func TestConformanceOnServers(t *testing.T) {
	for dialect, target := range map[string]func(testing.TB, string) connectors.Target{"sftp": sftpTarget, "smb": smbTarget} {
		t.Run(dialect, func(t *testing.T) {
			conformance.Run(t, conformance.Suite{
				Driver: files.Driver{}, Dialect: dialect, Reads: true, Steps: steps,
				Target: func(t testing.TB) connectors.Target {
					root := freshFolder(t, dialect, conformation)
					fill(t, root)
					return target(t, conformation)
				},
				Refuse: func(target *connectors.Target) {}, // the suite's password is wrong
			})
		})
	}
}

func TestSFTPHostKey(t *testing.T) {
	freshFolder(t, "sftp", "key")
	check := func(change func(*connectors.Target)) error {
		target := sftpTarget(t, "key")
		change(&target)
		conn, err := (files.Driver{}).Open(t.Context(), target)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Check(t.Context())
		return err
	}
	if err := check(func(*connectors.Target) {}); err != nil {
		t.Fatalf("a public key: %v", err)
	}
	var shown string
	for name, pin := range map[string]string{"none": "", "another": "SHA256:uNiVztksCsDhcc0u9e8BrJXy8e1Jq5L0bDQe7bq3w3Q"} {
		f := failure(t, check(func(t *connectors.Target) { t.Settings["host_key"] = pin }))
		shown, _ = f.Source["fingerprint"].(string)
		if f.Kind != connectors.Insecure || !strings.Contains(f.Message, shown) || !strings.HasPrefix(shown, "SHA256:") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if err := check(func(t *connectors.Target) { t.Settings["host_key"] = "256 " + shown + " (ED25519)" }); err != nil {
		t.Errorf("the fingerprint that it showed: %v", err)
	}
	if err := check(func(target *connectors.Target) {
		target.Credentials = map[string]connectors.Secret{"private_key": connectors.NewSecret(readServers(t, "key") + "\n")}
	}); err != nil {
		t.Errorf("a private key: %v", err)
	}
}

// TestRefusedLoginIsTriedOnce counts at the server.
func TestRefusedLoginIsTriedOnce(t *testing.T) {
	freshFolder(t, "sftp", "refused")
	target := sftpTarget(t, "refused")
	target.Credentials = map[string]connectors.Secret{"password": connectors.NewSecret("wr0ng")}
	conn, err := (files.Driver{}).Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	count := func() int { return strings.Count(readServers(t, "sshd.log"), "Failed password for "+serversUser) }
	before := count()
	for range 3 {
		if _, err := conn.Check(t.Context()); failure(t, err).Status != "refused" {
			t.Errorf("%v", err)
		}
	}
	if tries := count() - before; tries != 1 {
		t.Errorf("the server saw %d tries", tries)
	}
}

// TestOutboundOnServers: the receiver's folder, seen from the other side, shows the whole file or nothing.
func TestOutboundOnServers(t *testing.T) {
	for dialect, target := range map[string]func(testing.TB, string) connectors.Target{"sftp": sftpTarget, "smb": smbTarget} {
		t.Run(dialect, func(t *testing.T) {
			root := freshFolder(t, dialect, "outbound")
			conn, err := (files.Driver{}).Open(t.Context(), target(t, "outbound"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			s, err := (files.Driver{}).Compile(dialect, order(nil))
			if err != nil {
				t.Fatal(err)
			}
			vars := orderVars("big")
			for i := range 20_000 {
				vars["lines"] = append(vars["lines"].([]connectors.Vars), connectors.Vars{"index": int64(i + 3), "item": strings.Repeat("x", 40), "qty": "1"})
			}
			done := make(chan error, 1)
			go func() {
				tx, err := conn.Begin(t.Context(), false)
				if err == nil {
					_, err = tx.Exec(t.Context(), s, vars)
				}
				done <- err
			}()
			seen := map[int64]bool{}
			for waiting := true; waiting; {
				select {
				case err := <-done:
					if err != nil {
						t.Fatal(err)
					}
					waiting = false
				case <-time.After(time.Millisecond):
				}
				if info, err := os.Stat(filepath.Join(root, "out", "PO_big.csv")); err == nil {
					seen[info.Size()] = true
				}
			}
			if len(seen) != 1 {
				t.Errorf("the receiver saw sizes %v", seen)
			}
			tx, err := conn.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), s, maps.Clone(vars)); failure(t, err).Status != "exists" {
				t.Errorf("again: %v", err)
			}
		})
	}
}

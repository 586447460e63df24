//go:build systems

package house

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// The OpenSSH and the Samba that `make systems` starts, and the folders behind them.
const drops = "../.systems/drops"

// server makes a drop on a server, with folders that its account may change.
func server(t *testing.T, kind string) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join(drops, kind, "house"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(folder)); err != nil {
		t.Fatalf("there is no OpenSSH and no Samba; run `make systems`: %v", err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	makeExchange(t, folder)
	for _, name := range []string{"", "in", "out", "sent", "error"} {
		if err := os.Chmod(filepath.Join(folder, name), 0o777); err != nil { // the umask takes the others' right away
			t.Fatal(err)
		}
	}
	return folder
}

func TestCSVDropOnServers(t *testing.T) {
	p := open(t)
	p.allow("target", "127.0.0.1:12222")
	p.allow("target", "127.0.0.1:14450")
	credentials := map[string]string{"password": "Drop-pw-2026"}
	t.Run("sftp", func(t *testing.T) {
		folder := server(t, "sftp")
		key, err := os.ReadFile(filepath.Join(drops, "hostkey.pub"))
		if err != nil {
			t.Fatal(err)
		}
		l := login{System: "csv-drop-sftp", Site: p.site, Name: "sftp", Credentials: credentials, Settings: map[string]any{
			"host": "127.0.0.1", "port": 12222, "username": "gantrydrop", "path": "house", "host_key": "SHA256:uNiVztksCsDhcc0u9e8BrJXy8e1Jq5L0bDQe7bq3w3Q",
		}}
		f := p.refused(p.admin, http.MethodPost, "/connections", l, fault.Error{Code: fault.SystemUnreachable, Hop: fault.HopNetwork, Scope: fault.ScopeConnection, Outcome: fault.NotSent})
		if !strings.Contains(f.Detail, "SHA256:") {
			t.Errorf("the refusal does not say what the server showed: %s", f.Detail)
		}
		l.Settings["host_key"] = strings.TrimSpace(string(key))
		l.Credentials = map[string]string{"password": "wrong"}
		p.refused(p.admin, http.MethodPost, "/connections", l, fault.Error{Code: fault.CredentialsExpired, Hop: fault.HopSystem, Scope: fault.ScopeConnection, Outcome: fault.Rejected})
		l.Credentials = credentials
		p.exchanges(t, folder, 1100*time.Millisecond, l) // SFTP tells times in seconds
	})
	t.Run("smb", func(t *testing.T) {
		p.exchanges(t, server(t, "smb"), 50*time.Millisecond, login{System: "csv-drop-smb", Site: p.site, Name: "smb", Credentials: credentials, Settings: map[string]any{
			"host": "127.0.0.1", "port": 14450, "username": "gantrydrop", "share": "exchange", "path": "house",
		}})
	})
}

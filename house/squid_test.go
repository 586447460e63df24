package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/agent/control"
)

// squidHelpers is where Debian keeps squid's programs for logins.
const squidHelpers = "/usr/lib/squid"

// squidPassword is s3cret-of-the-proxy, as `openssl passwd -apr1` writes it.
const squidPassword = "$apr1$abcdefgh$N4uyvgJID//lfjOAviG161"

// TestThroughSquid goes through a real squid that asks for a login: Basic against a file of passwords, and NTLM. Squid's
// ntlm_fake_auth takes any response, so it proves the three messages on one connection; that the response is right is
// proved in tunnel, by MS-NLMP itself.
func TestThroughSquid(t *testing.T) {
	t.Parallel()
	squid := tool(t, "squid")
	for _, tt := range []struct{ name, auth, user, logged string }{
		{"basic", "auth_param basic program " + squidHelpers + "/basic_ncsa_auth %s/passwords\nauth_param basic realm plant\n", "plant", "plant"},
		{"NTLM", "auth_param ntlm program " + squidHelpers + "/ntlm_fake_auth\nauth_param ntlm keep_alive on\n", `PLANT\agent`, `PLANT\\agent`},
		{"NTLM before basic", "auth_param ntlm program " + squidHelpers + "/ntlm_fake_auth\nauth_param basic program " + squidHelpers + "/basic_ncsa_auth %s/passwords\n", `PLANT\agent`, `PLANT\\agent`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder, address := startSquid(t, squid, tt.auth)
			d := connected(t, withAgent(fmt.Sprintf("proxy: {url: \"http://%s\", username: '%s', password_file: %s}\n",
				address, tt.user, filepath.Join(folder, "password"))))
			if err := d.answers(t.Context()); err != nil {
				t.Fatal(err)
			}
			var status control.Status
			if err := json.Unmarshal([]byte(run(t, "gantry-agent", "status", "--json", "--config", d.path("agent.yaml"))), &status); err != nil {
				t.Fatal(err)
			}
			if status.Relay.Proxy != address || status.Relay.ProxyOrigin != "configuration" {
				t.Errorf("status: %+v", status.Relay)
			}
			d.agent.stop() // squid logs a tunnel when it ends
			eventually(t, 30*time.Second, "squid logs the tunnel", func() error {
				if log := read(t, filepath.Join(folder, "access.log")); !tunnelOf(log, tt.logged) {
					return fmt.Errorf("no tunnel of %s in:\n%s", tt.logged, log)
				}
				return nil
			})
		})
	}
}

// tunnelOf tells whether the log has a tunnel that was let through, of a user.
func tunnelOf(log []byte, user string) bool {
	for line := range bytes.Lines(log) {
		words := strings.Fields(string(line)) // time, ms, address, result, bytes, method, target, user
		if len(words) > 7 && words[3] == "TCP_TUNNEL/200" && strings.EqualFold(words[7], user) {
			return true
		}
	}
	return false
}

// startSquid starts one in a folder of its own. In auth, %s is that folder.
func startSquid(t *testing.T, path, auth string) (folder, address string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "gantry-squid-") // not t.TempDir: squid works as a user of its own, who must come in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	address = freeAddress(t)
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "password"), "s3cret-of-the-proxy\n")
	writeFile(t, filepath.Join(folder, "passwords"), "plant:"+squidPassword+"\n")
	if err := os.Chmod(filepath.Join(folder, "passwords"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(folder, "squid.conf")
	writeFile(t, config, fmt.Sprintf(strings.ReplaceAll(auth, "%s", folder)+`http_port %s
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
pid_filename none
access_log stdio:%s/access.log
cache_log %s/cache.log
cache deny all
shutdown_lifetime 1 seconds
pinger_enable off
`, address, folder, folder))
	start(t, filepath.Join(folder, "out.log"), path, []string{"-N", "-f", config})
	awaitPort(t, address)
	return folder, address
}

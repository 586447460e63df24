//go:build prove

package house

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/connectors/demoplant"
)

const (
	installed  = `C:\Program Files\Gantry Agent\gantry-agent.exe`
	agentYAML  = `C:\ProgramData\Gantry Agent\agent.yaml`
	agentState = `C:\ProgramData\Gantry Agent\state`
)

// windowsSite is a relay on this machine and a Windows beside it.
type windowsSite struct {
	*plant
	*wine
	t *testing.T
}

// token makes a site and leaves its token on drive C:.
func (s *windowsSite) token() string {
	s.t.Helper()
	var site struct {
		ID    string `json:"id"`
		Token string `json:"enrolment_token"`
	}
	s.must("POST", "/sites", map[string]string{"name": "Plant on Windows"}, 201, &site)
	s.site = site.ID
	s.wine.write(`C:\token.txt`, []byte(site.Token+"\r\n"))
	return `C:\token.txt`
}

// must is the plant's.
func (s *windowsSite) must(method, path string, body any, status int, into any) {
	s.t.Helper()
	s.plant.must(method, path, body, status, into)
}

// awaitState waits until the relay says so of the site's agent.
func (s *windowsSite) awaitState(state string) {
	s.t.Helper()
	took := eventually(s.t, 90*time.Second, "the agent is "+state, func() error {
		got, err := s.agentState()
		if err == nil && got != state {
			err = fmt.Errorf("it is %s", got)
		}
		return err
	})
	s.t.Logf("the relay says %s after %s", state, took.Round(time.Millisecond))
}

// agentCommand runs the installed program.
func (s *windowsSite) agentCommand(args ...string) (string, int) {
	s.t.Helper()
	return s.wine.run("wine", append([]string{installed}, args...)...)
}

// says asks the agent until it says what it should, with the exit code that goes with it. Wine gives the first caller of a named pipe, after each start, to an instance that
// nobody serves: he waits in vain.
func (s *windowsSite) says(code int, what string) string {
	s.t.Helper()
	var out string
	eventually(s.t, time.Minute, "the agent says "+what, func() error {
		var got int
		if out, got = s.agentCommand("status", "--timeout", "3s"); got != code || !strings.Contains(out, what) {
			return fmt.Errorf("exit code %d: %s", got, out)
		}
		return nil
	})
	return out
}

func (s *windowsSite) msiexec(want int, args ...string) {
	s.t.Helper()
	begin := time.Now()
	out, code := s.wine.run("wine", append([]string{"msiexec"}, append(args, "/qn", "/l*v", `C:\msi.log`)...)...)
	if code != want {
		log, _ := os.ReadFile(s.wine.path(`C:\msi.log`))
		s.t.Fatalf("msiexec %s exits %d, want %d:\n%s%s", strings.Join(args, " "), code, want, out, log)
	}
	step(s.t, fmt.Sprintf("msiexec %s: exit code %d after %s", strings.Join(args, " "), code, time.Since(begin).Round(time.Millisecond)), out)
}

// openWindowsSite starts the relay and makes the Windows.
func openWindowsSite(t *testing.T) *windowsSite {
	t.Helper()
	s := &windowsSite{plant: openRelay(t), wine: newWine(t), t: t}
	return s
}

// connectPlant lets the agent open a plant's file, and reads from it through the relay.
func (s *windowsSite) connectPlant() *Client {
	s.t.Helper()
	if err := os.MkdirAll(s.wine.path(`C:\plant`), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := demoplant.Create(s.t.Context(), s.wine.path(`C:\plant\plant.db`)); err != nil {
		s.t.Fatal(err)
	}
	for _, what := range [][]string{{"path", `C:\plant`}, {"writes"}} {
		out, code := s.agentCommand(append([]string{"policy", "allow"}, what...)...)
		if code != 0 {
			s.t.Fatalf("policy allow: %d %s", code, out)
		}
		step(s.t, "gantry-agent policy allow "+strings.Join(what, " "), out)
	}
	client, _ := s.connect(login{System: "demo-plant", Name: "plant", Settings: map[string]any{"path": `C:\plant\plant.db`}, Credentials: map[string]string{}})
	return client
}

// reads makes a call through the relay that the Windows agent answers.
func (s *windowsSite) reads(client *Client) {
	s.t.Helper()
	var page Page
	s.expect(client, http.MethodGet, "/vendors?limit=3&fields=name", nil, 200, &page)
	if len(page.Data) != 3 {
		s.t.Fatalf("%d vendors came", len(page.Data))
	}
	step(s.t, "GET /api/v1/vendors?limit=3&fields=name", fmt.Sprintf("%s", page.Data))
}

// certificate makes one for code signing that nobody knows.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	needPrograms(t, "openssl osslsigncode", "openssl", "osslsigncode")
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Gantry test",
		"-addext", "extendedKeyUsage=codeSigning", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		t.Fatalf("make a certificate: %v\n%s", err, out)
	}
	return cert, key
}

// buildMSI makes a signed MSI, and looks at its signature.
func buildMSI(t *testing.T, version, cert, key string) string {
	t.Helper()
	needPrograms(t, "wixl msitools", "wixl", "msibuild")
	program, msi := buildWindows(t, version), filepath.Join(t.TempDir(), "agent.msi")
	for _, args := range [][]string{{"../installer/msi/program.sh", version, program}, {"../installer/msi/build.sh", version, program, msi}} {
		build := exec.Command(args[0], args[1:]...)
		build.Env = append(os.Environ(), "SIGN_CERT="+cert, "SIGN_KEY="+key, "SOURCE_DATE_EPOCH=1790000000")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	for _, file := range []string{program, msi} {
		if out, err := exec.Command("osslsigncode", "verify", "-CAfile", cert, "-in", file).CombinedOutput(); err != nil {
			t.Fatalf("the signature of %s: %v\n%s", file, err, out)
		}
	}
	return msi
}

// TestWindowsPackage installs the MSI silently with a token, makes calls through the relay, upgrades, and uninstalls.
func TestWindowsPackage(t *testing.T) {
	s := openWindowsSite(t)
	cert, key := certificate(t)
	first, second := buildMSI(t, "v1.0.0", cert, key), buildMSI(t, "v1.1.0", cert, key)
	s.wine.copyTo(`C:\first.msi`, first)
	s.wine.copyTo(`C:\second.msi`, second)
	s.wine.write(`C:\msi.log`, nil)
	before := s.wine.snapshot()
	s.wine.boot()

	s.msiexec(0, "/i", `C:\first.msi`, "TOKEN_FILE="+s.token(), "RELAY="+s.url)
	s.awaitState("connected")
	if s.wine.exists(`C:\token.txt`) || s.wine.exists(agentState+`\enrolment-token`) {
		t.Error("the token is still there")
	}
	step(t, "gantry-agent status", s.says(0, "connected, 2 of 2"))
	client := s.connectPlant()
	s.reads(client)

	s.msiexec(0, "/i", `C:\second.msi`)
	s.awaitState("connected")
	step(t, "gantry-agent status", s.says(0, "gantry-agent v1.1.0: connected"))
	s.reads(client)

	if out, code := s.agentCommand("uninstall", "--yes"); code != 9 || !strings.Contains(out, "msiexec") {
		t.Errorf("uninstall of what the MSI brought: %d\n%s", code, out)
	}
	s.msiexec(0, "/x", `C:\second.msi`)
	s.awaitState("offline")
	if s.wine.exists(installed) || !s.wine.exists(agentYAML) || !s.wine.exists(agentState+`\agent.db`) {
		t.Error("an uninstallation takes the program and keeps configuration and state")
	}

	s.msiexec(0, "/i", `C:\second.msi`, "STRICT=1")
	s.awaitState("connected")
	s.reads(client)
	s.msiexec(0, "/x", `C:\second.msi`, "PURGE=1")
	if err := os.RemoveAll(s.wine.path(`C:\plant`)); err != nil {
		t.Fatal(err)
	}
	s.wine.shutDown()
	s.wine.nothingLeft(before)
}

// TestWindowsPackageWithoutNetwork installs while the relay cannot be reached: the agent waits and tries again, unless
// the installation is to be strict.
func TestWindowsPackageWithoutNetwork(t *testing.T) {
	s := openWindowsSite(t)
	cert, key := certificate(t)
	s.wine.copyTo(`C:\agent.msi`, buildMSI(t, "v1.0.0", cert, key))
	s.wine.write(`C:\msi.log`, nil)
	before := s.wine.snapshot()
	s.wine.boot()

	token := s.token()
	s.relay.stop()
	s.msiexec(0, "/i", `C:\agent.msi`, "TOKEN_FILE="+token)
	step(t, "gantry-agent status", s.says(3, "not enrolled: "))
	s.startRelay()
	s.awaitState("connected")
	step(t, "gantry-agent status", s.says(0, "connected"))
	s.msiexec(0, "/x", `C:\agent.msi`, "PURGE=1")

	token = s.token()
	s.relay.stop()
	s.msiexec(1627&0xff, "/i", `C:\agent.msi`, "TOKEN_FILE="+token, "STRICT=1") // Windows says 1603
	if s.wine.exists(installed) {
		t.Error("a strict installation that failed left the program")
	}
	if err := os.RemoveAll(s.wine.path(`C:\ProgramData\Gantry Agent`)); err != nil { // it stays, as after each uninstallation
		t.Fatal(err)
	}
	s.wine.shutDown()
	s.wine.nothingLeft(before)
}

// TestWindowsProgram installs the program by itself, without a package, and takes it away again.
func TestWindowsProgram(t *testing.T) {
	s := openWindowsSite(t)
	s.wine.copyTo(`C:\download\gantry-agent.exe`, buildWindows(t, "v1.0.0"))
	before := s.wine.snapshot()
	s.wine.boot()
	step(t, "gantry-agent install --token-file", s.wine.must("wine", `C:\download\gantry-agent.exe`, "install", "--token-file", s.token()))
	s.awaitState("connected")
	step(t, "gantry-agent status", s.says(0, "connected"))
	s.reads(s.connectPlant())
	for _, tt := range []struct {
		command, want string
		code          int
		relay         string
	}{
		{"stop", "not running", 5, "offline"},
		{"start", "connected", 0, "connected"},
		{"restart", "connected", 0, "connected"},
	} {
		out, code := s.agentCommand(tt.command)
		if code != 0 {
			t.Fatalf("%s exits %d: %s", tt.command, code, out)
		}
		step(t, "gantry-agent "+tt.command, out)
		s.awaitState(tt.relay)
		s.says(tt.code, tt.want)
	}
	step(t, "gantry-agent install, again", s.wine.must("wine", installed, "install"))
	s.awaitState("connected")

	s.wine.write(agentYAML, []byte("polcy: {}\n"))
	if out, code := s.agentCommand("restart"); code != 0 {
		t.Fatalf("restart with a faulty configuration: %d %s", code, out)
	}
	s.awaitState("connected")
	step(t, "a faulty configuration", s.says(0, "polcy"))

	s.wine.write(agentYAML, nil)
	step(t, "gantry-agent uninstall", s.wine.must("wine", installed, "uninstall"))
	if s.wine.exists(`C:\Program Files\Gantry Agent`) || !s.wine.exists(agentState+`\agent.db`) {
		t.Error("an uninstallation takes the program and keeps the state")
	}
	step(t, "gantry-agent install, without a token", s.wine.must("wine", `C:\download\gantry-agent.exe`, "install"))
	s.awaitState("connected")

	step(t, "gantry-agent uninstall --purge", s.wine.must("wine", installed, "uninstall", "--purge", "--yes"))
	s.awaitState("offline")
	if err := os.RemoveAll(s.wine.path(`C:\plant`)); err != nil {
		t.Fatal(err)
	}
	s.wine.shutDown()
	s.wine.boot() // what was put aside goes with the next start
	s.wine.must("wine", "wineboot")
	s.wine.shutDown()
	s.wine.nothingLeft(before)
}

// TestWindowsTests runs the tests that only Windows has.
func TestWindowsTests(t *testing.T) {
	w := newWine(t)
	w.boot()
	for name, only := range map[string]string{"agent/control": ".", "agent/vault": "DPAPI", "agent/cmd/gantry-agent": "Manager|EventLog", "installer": "SID|AccessLists|ItsAccess|Discarded|Plan|WayBack|Clearing"} {
		out := filepath.Join(t.TempDir(), "test.exe")
		build := exec.Command("go", "test", "-c", "-o", out, "gantry/"+name)
		build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build the tests of %s: %v\n%s", name, err, text)
		}
		seen, _ := w.run("wine", out, "-test.v", "-test.timeout", "2m", "-test.run", only)
		// Not the exit code: testscript, which the command line's tests use, fails in Wine to delete its own folder afterwards.
		if !strings.Contains(seen, "\nPASS") || !strings.Contains(seen, "--- PASS") || strings.Contains(seen, "--- FAIL") {
			t.Errorf("the tests of %s fail", name)
		}
		step(t, name, seen)
	}
}

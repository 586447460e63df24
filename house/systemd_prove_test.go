//go:build prove

package house

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors/demoplant"
)

// first and next are the versions: an upgrade goes from one to the other.
const first, next = "1.0.0", "1.0.1"

// releases are the packages and the programs of both versions, made once, in a folder that containers see as /pkg. It lies in
// that of the programs, and goes with it.
var releases struct {
	once sync.Once
	err  error
}

func buildReleases(t *testing.T) (folder string) {
	t.Helper()
	folder = filepath.Join(filepath.Dir(program(t, "gantry-relay")), "releases")
	releases.once.Do(func() { releases.err = release(folder) })
	if releases.err != nil {
		t.Fatal(releases.err)
	}
	return folder
}

func release(folder string) error {
	command := func(env []string, name string, args ...string) error {
		c := exec.Command(name, args...)
		c.Dir, c.Env = "..", append(os.Environ(), env...)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
		}
		return nil
	}
	nfpm := filepath.Join(folder, "nfpm")
	if err := command(nil, "go", "build", "-modfile=.ci/tools.mod", "-o", nfpm, "github.com/goreleaser/nfpm/v2/cmd/nfpm"); err != nil {
		return err
	}
	for _, version := range []string{first, next} {
		for _, side := range []string{"agent", "relay"} {
			name := "gantry-" + side
			program := filepath.Join(folder, version, name)
			err := command([]string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags", "-X main.version="+version, "-o", program, "./"+side+"/cmd/"+name)
			if err == nil {
				err = command([]string{"NFPM=" + nfpm, "SOURCE_DATE_EPOCH=1700000000"}, "installer/packages/build.sh", name, runtime.GOARCH, version, program, program, folder)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func deb(name, version string) string {
	return fmt.Sprintf("/pkg/%s_%s_%s.deb", name, version, runtime.GOARCH)
}

// openCloud is a relay with an organisation and a site, whose agent is yet to come.
func openCloud(t *testing.T) *plant {
	t.Helper()
	folder, err := os.MkdirTemp("", "gantry-cloud-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	p := &plant{t: t, folder: folder, http: http.DefaultClient, metricsAddress: freeAddress(t)}
	address := freeAddress(t)
	p.url = "http://" + address
	p.write("relay.yaml", fmt.Sprintf("listen: %s\ndata_dir: %s\nmetrics_listen: %s\nlimits: {rate_per_token: 5000, burst_per_token: 5000}\n",
		address, p.path("relay"), p.metricsAddress))
	t.Cleanup(p.examineLogs)
	p.startRelay()
	p.createOrganisation()
	return p
}

// newSite makes a site and gives the token of its first agent.
func (p *plant) newSite() (token string) {
	p.t.Helper()
	var site struct {
		ID    string `json:"id"`
		Token string `json:"enrolment_token"`
	}
	p.must(http.MethodPost, "/sites", map[string]string{"name": "Plant North"}, 201, &site)
	p.site = site.ID
	return site.Token
}

func (p *plant) awaitState(want string) time.Duration {
	p.t.Helper()
	return eventually(p.t, time.Minute, "the agent is "+want, func() error {
		got, err := p.agentState()
		if err == nil && got != want {
			err = fmt.Errorf("it is %s", got)
		}
		return err
	})
}

// demoIn puts the demo's database where the agent of a container can reach it, and connects it.
func demoIn(t *testing.T, p *plant, c *container, folder string) *demoPlant {
	t.Helper()
	d := &demoPlant{plant: p}
	file := filepath.Join(folder, "plant.db")
	if err := demoplant.Create(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.database, err = sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.database.Close() })
	c.do("chown", "-R", "gantry-agent:gantry-agent", "/srv/plant")
	c.do("mkdir", "-p", "/etc/systemd/system/gantry-agent.service.d")
	c.write("/etc/systemd/system/gantry-agent.service.d/plant.conf", "[Service]\nReadWritePaths=/srv/plant\nWatchdogSec=6\nTimeoutAbortSec=1\n")
	c.do("systemctl", "daemon-reload")
	c.do("systemctl", "restart", "gantry-agent")
	c.do("gantry-agent", "policy", "allow", "path", "/srv/plant")
	c.do("gantry-agent", "policy", "allow", "writes")
	p.awaitState("connected")
	d.login = login{System: "demo-plant", Site: p.site, Name: "plant", Settings: map[string]any{"path": "/srv/plant/plant.db"}, Credentials: map[string]string{}}
	d.client, d.id = d.connect(d.login)
	return d
}

func (c *container) sentence() string {
	return strings.TrimSpace(c.do("systemctl", "show", "--property=StatusText", "--value", "gantry-agent"))
}

func (c *container) awaitSentence(begins string) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "systemd shows "+begins, func() error {
		if got := c.sentence(); !strings.HasPrefix(got, begins) {
			return fmt.Errorf("it shows %q", got)
		}
		return nil
	})
}

var exposure = regexp.MustCompile(`Overall exposure level.*`)

// TestTheDebianPackage lives the life of a package on a machine with systemd: installed, enrolled, killed, upgraded under
// traffic, purged without a trace.
func TestTheDebianPackage(t *testing.T) {
	packages, p, folder := buildReleases(t), openCloud(t), t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	c := boot(t, map[string]string{"/pkg": packages, "/srv/plant": folder})
	before := c.listing()

	begin := time.Now()
	c.do("dpkg", "-i", deb("gantry-agent", first))
	t.Logf("dpkg -i took %s, the service is %s: %s", time.Since(begin).Round(time.Millisecond), strings.TrimSpace(c.do("systemctl", "is-active", "gantry-agent")), c.sentence())
	c.awaitSentence("Not enrolled")
	c.exits(3, "gantry-agent", "status")
	c.write("/root/token", p.newSite())
	begin = time.Now()
	c.do("gantry-agent", "enroll", "--token-file", "/root/token")
	p.awaitState("connected")
	t.Logf("connected %s after the command to enrol, without a restart", time.Since(begin).Round(time.Millisecond))
	c.awaitSentence("Connected to " + p.url)
	t.Logf("\n%s", c.do("systemctl", "status", "--no-pager", "--lines=0", "gantry-agent"))
	t.Logf("\n%s", c.do("gantry-agent", "status"))
	t.Log(exposure.FindString(c.do("systemd-analyze", "security", "--no-pager", "gantry-agent.service")))
	c.exits(0, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "gantry-agent", "status")
	c.exits(4, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "gantry-agent", "connections", "list")
	if out, err := c.try("ls", "/var/lib/gantry-agent/vault.key"); err == nil {
		t.Errorf("the vault's key lies beside what it protects: %s", out)
	}

	d := demoIn(t, p, c, folder)
	c.do("sh", "-c", "kill -9 $(systemctl show --property=MainPID --value gantry-agent)")
	begin = time.Now()
	eventually(t, 30*time.Second, "the connection answers", func() error { return d.answers(t.Context()) })
	took := time.Since(begin)
	t.Logf("answers %s after kill -9", took.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Error("that took longer than 5 s")
	}

	c.do("sh", "-c", "kill -STOP $(systemctl show --property=MainPID --value gantry-agent)")
	begin = time.Now()
	eventually(t, time.Minute, "the watchdog ends a service that hangs", func() error {
		if n := strings.TrimSpace(c.do("systemctl", "show", "--property=NRestarts", "--value", "gantry-agent")); n != "2" {
			return fmt.Errorf("%s restarts", n)
		}
		return d.answers(t.Context())
	})
	t.Logf("answers %s after it began to hang, with a watchdog of 6 s instead of 60 s", time.Since(begin).Round(time.Millisecond))

	upgrade(t, d, c)
	c.do("gantry-agent", "install") // a package's unit is not shadowed
	if out, err := c.try("ls", "/etc/systemd/system/gantry-agent.service"); err == nil {
		t.Errorf("%s shadows the package's unit", out)
	}
	c.exits(9, "gantry-agent", "uninstall", "--purge", "--yes")

	c.do("dpkg", "--remove", "gantry-agent")
	c.do("dpkg", "-i", deb("gantry-agent", next)) // again, with what was kept
	p.awaitState("connected")
	t.Log("removed and installed again: connected as before")
	c.do("dpkg", "--purge", "gantry-agent")
	c.nothingLeft(before)
}

// upgrade installs the next version while records are created, each once and none tried again.
func upgrade(t *testing.T, d *demoPlant, c *container) {
	t.Helper()
	before := count(t, d.database, "SELECT count(*) FROM SVCREQ")
	s := &senders{d: d}
	s.start(4)
	time.Sleep(2 * time.Second)
	begin := time.Now()
	c.do("dpkg", "-i", deb("gantry-agent", next))
	took := time.Since(begin)
	time.Sleep(3 * time.Second)
	s.stop()
	made := int64(count(t, d.database, "SELECT count(*) FROM SVCREQ") - before)
	t.Logf("upgraded in %s under traffic: %d calls, %d done, %d records, %d not sent", took.Round(time.Millisecond), s.calls.Load(), s.done.Load(), made, s.notSent.Load())
	if s.notSent.Load() > 0 || s.closed.Load() > 0 || made != s.done.Load() || made == 0 {
		t.Error("the upgrade cost a call")
	}
	if out := c.do("gantry-agent", "status"); !strings.HasPrefix(out, "gantry-agent "+next+": connected") {
		t.Errorf("after the upgrade:\n%s", out)
	}
}

// TestInstallWithoutAPackage installs from the program alone: undone on failure, repaired by a second run, removed from
// every broken state.
func TestInstallWithoutAPackage(t *testing.T) {
	packages, p := buildReleases(t), openCloud(t)
	c := boot(t, map[string]string{"/pkg": packages})
	program := "/pkg/" + first + "/gantry-agent"
	before := c.listing()

	token := p.newSite()
	t.Run("a failing step takes everything back", func(t *testing.T) {
		c.write("/root/cut", token[:len(token)-20])
		c.exits(2, program, "install", "--token-file", "/root/cut")
		p.relay.stop()
		c.write("/root/token", token)
		out := c.exits(6, program, "install", "--token-file", "/root/token", "--wait", "5s")
		t.Logf("\n%s", out)
		c.do("rm", "/root/cut", "/root/token")
		c.nothingLeft(before)
		p.startRelay()
	})
	t.Run("install", func(t *testing.T) {
		c.write("/root/token", token)
		begin := time.Now()
		out := c.do(program, "install", "--token-file", "/root/token", "--allow", "db.plant.local:5432")
		t.Logf("installed, enrolled and connected in %s\n%s", time.Since(begin).Round(time.Millisecond), out)
		if state, err := p.agentState(); err != nil || state != "connected" {
			t.Errorf("the relay says %s, %v", state, err)
		}
		if _, err := c.try("ls", "/root/token"); err == nil {
			t.Error("the token's file is left")
		}
		t.Log(exposure.FindString(c.do("systemd-analyze", "security", "--no-pager", "gantry-agent.service")))
	})
	t.Run("a package does not shadow it", func(t *testing.T) {
		out := c.exits(1, "dpkg", "-i", deb("gantry-agent", next))
		if !strings.Contains(out, "gantry-agent uninstall") {
			t.Errorf("dpkg says:\n%s", out)
		}
		c.do("gantry-agent", "status")
	})
	t.Run("again is a repair", func(t *testing.T) {
		c.do("sh", "-c", "rm /etc/systemd/system/gantry-agent.service; echo junk > /usr/local/bin/gantry-agent.new; mv /usr/local/bin/gantry-agent.new /usr/local/bin/gantry-agent; chmod 0777 /var/lib/gantry-agent; systemctl daemon-reload; systemctl kill -s KILL gantry-agent")
		t.Logf("\n%s", c.do(program, "install"))
		c.do("gantry-agent", "status")
		if mode := strings.TrimSpace(c.do("stat", "-c", "%a %U", "/var/lib/gantry-agent")); mode != "700 gantry-agent" {
			t.Errorf("the state folder is %s", mode)
		}
	})
	t.Run("the service is managed", func(t *testing.T) {
		c.do("gantry-agent", "stop")
		c.exits(5, "gantry-agent", "status")
		c.do("gantry-agent", "start")
		c.do("gantry-agent", "restart")
		c.awaitSentence("Connected to " + p.url)
		c.do("sh", "-c", "echo 'sesions: 2' >> /etc/gantry-agent/agent.yaml")
		c.do("gantry-agent", "restart") // it stays up, and says why it does nothing
		c.awaitSentence("Connected to " + p.url + ", 2 of 2 sessions. The configuration is faulty")
		c.do("sh", "-c", "sed -i /sesions/d /etc/gantry-agent/agent.yaml")
		c.do("systemctl", "reload", "gantry-agent")
		eventually(t, 30*time.Second, "the mended configuration", func() error {
			if s := c.sentence(); s != "Connected to "+p.url+", 2 of 2 sessions" {
				return fmt.Errorf("it shows %q", s)
			}
			return nil
		})
	})
	t.Run("an uninstallation keeps the state for the next", func(t *testing.T) {
		c.do("gantry-agent", "uninstall")
		c.do(program, "install")
		c.do("gantry-agent", "uninstall", "--purge", "--yes")
		c.nothingLeft(before)
	})
	for name, damage := range map[string]string{
		"unit gone":    "rm /etc/systemd/system/gantry-agent.service",
		"binary gone":  "rm /usr/local/bin/gantry-agent; systemctl kill -s KILL gantry-agent",
		"config gone":  "rm -r /etc/gantry-agent",
		"state gone":   "systemctl stop gantry-agent; rm -r /var/lib/gantry-agent",
		"user gone":    "systemctl stop gantry-agent; userdel gantry-agent",
		"half removed": "systemctl disable gantry-agent; rm /etc/systemd/system/gantry-agent.service; systemctl daemon-reload",
		"nothing left": program + " uninstall --purge --yes",
	} {
		t.Run("uninstall, "+name, func(t *testing.T) {
			c.do(program, "install", "--no-enroll")
			c.do("sh", "-c", damage)
			c.do(program, "uninstall", "--purge", "--yes")
			c.nothingLeft(before)
		})
	}
}

// TestTheRelaysPackage installs, upgrades and purges the relay.
func TestTheRelaysPackage(t *testing.T) {
	packages := buildReleases(t)
	c := boot(t, map[string]string{"/pkg": packages})
	before := c.listing()
	c.do("dpkg", "-i", deb("gantry-relay", first))
	address := freeAddress(t)
	c.do("sed", "-i", "s|^listen: .*|listen: "+address+"|; s|^metrics_listen: .*|metrics_listen: \"\"|", "/etc/gantry-relay/relay.yaml")
	c.do("systemctl", "restart", "gantry-relay")
	for _, version := range []string{first, next} {
		if version == next {
			c.do("dpkg", "-i", deb("gantry-relay", next))
		}
		eventually(t, 30*time.Second, "the relay answers", func() error {
			answer, err := http.Get("http://" + address + "/livez")
			if err != nil {
				return err
			}
			return answer.Body.Close()
		})
		t.Log(strings.TrimSpace(c.do("systemctl", "show", "--property=StatusText", "--value", "gantry-relay")))
	}
	t.Log(exposure.FindString(c.do("systemd-analyze", "security", "--no-pager", "gantry-relay.service")))
	c.do("dpkg", "--purge", "gantry-relay")
	c.nothingLeft(before)
}

// TestTheRPM installs, upgrades and erases the rpm with this machine's rpm, which is lent to the container with its libraries:
// the scriptlets are run in the booted system, by its own shell, and speak to its systemd.
func TestTheRPM(t *testing.T) {
	need(t, map[string]string{"rpm": "rpm"})
	packages := buildReleases(t)
	loaders, err := filepath.Glob("/usr/lib/*-linux-gnu/ld-linux-*.so.*")
	if err != nil || len(loaders) == 0 {
		t.Fatalf("this machine's dynamic loader is not where Debian has it: %v", err)
	}
	found, err := filepath.Glob(filepath.Join(packages, "gantry-agent-*.rpm"))
	if err != nil || len(found) != 2 {
		t.Fatalf("got %v, %v", found, err)
	}
	c := boot(t, map[string]string{"/pkg": packages, "/lent": "/usr"})
	loader := "/lent" + strings.TrimPrefix(loaders[0], "/usr")
	rpm := func(args ...string) {
		t.Helper()
		c.do(append([]string{"env", "RPM_CONFIGDIR=/lent/lib/rpm", loader, "--library-path", filepath.Dir(loader), "/lent/bin/rpm"}, args...)...)
	}
	rpm("-i", "--nodeps", "/pkg/"+filepath.Base(found[0]))
	c.awaitSentence("Not enrolled")
	if out := c.do("systemctl", "is-enabled", "gantry-agent"); strings.TrimSpace(out) != "enabled" {
		t.Errorf("the service is %s", out)
	}
	rpm("-U", "--nodeps", "/pkg/"+filepath.Base(found[1]))
	eventually(t, 30*time.Second, "the next version runs", func() error {
		if out := c.exits(3, "gantry-agent", "status"); !strings.HasPrefix(out, "gantry-agent "+next+": not enrolled") {
			return errors.New(out)
		}
		return nil
	})
	rpm("-e", "gantry-agent")
	for _, path := range []string{"/usr/bin/gantry-agent", "/usr/lib/systemd/system/gantry-agent.service", "/etc/systemd/system/multi-user.target.wants/gantry-agent.service"} {
		if out, err := c.try("ls", path); err == nil {
			t.Errorf("left behind: %s", out)
		}
	}
	if state := strings.TrimSpace(c.do("systemctl", "show", "--property=ActiveState", "--value", "gantry-agent")); state != "inactive" {
		t.Errorf("the service is %s", state)
	}
	t.Log("installed, started, enabled, upgraded and erased by rpm; configuration, state and account stay, as rpms do it")
}

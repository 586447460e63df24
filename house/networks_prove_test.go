//go:build prove

package house

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/check"
)

// network is one that is broken, and what the doctor is to say of it.
type network struct {
	name   string
	made   string // of what
	breaks func(t *testing.T, lab *netlab) (agentYAML string)
	id     string
	check  string
	team   check.Team
	exit   int
	says   []string // in the fix
}

// networks are the twelve, and four that plants have as well.
var networks = []network{
	{"no route", "no default route (ip route)", func(t *testing.T, lab *netlab) string {
		lab.in("ip", "route", "del", "default")
		t.Cleanup(func() { lab.in("ip", "route", "add", "default", "via", labGateway) })
		return ""
	}, "NET-NO-ROUTE", "network.tcp", check.PlantIT, 1, []string{"default gateway", "proxy.url"}},
	{"refused", "nft: reject with tcp reset", func(t *testing.T, lab *netlab) string {
		lab.rule(t, "tcp", "dport", "443", "reject", "with", "tcp", "reset")
		return ""
	}, "NET-REFUSED", "network.tcp", check.Firewall, 1, []string{"(" + labPlant + ")", labHost + ":443 (now " + labRelay + ")"}},
	{"no answer", "nft: drop", func(t *testing.T, lab *netlab) string {
		lab.rule(t, "ip", "daddr", labRelay, "drop")
		return ""
	}, "NET-TIMEOUT", "network.tcp", check.Firewall, 1, []string{"(" + labPlant + ")", labHost + ":443"}},
	{"name missing", "DNS server: NXDOMAIN", func(t *testing.T, lab *netlab) string {
		lab.resolve(labHost, "")
		t.Cleanup(func() { lab.resolve(labHost, labRelay) })
		return ""
	}, "NET-DNS-NAME", "network.dns", check.PlantIT, 1, []string{"nslookup " + labHost, "proxy.url"}},
	{"no DNS server", "nft: drop port 53", func(t *testing.T, lab *netlab) string {
		lab.in("nft", "add", "rule", "inet", "lab", "in", "udp", "sport", "53", "drop")
		t.Cleanup(func() { lab.in("nft", "flush", "chain", "inet", "lab", "in") })
		return ""
	}, "NET-DNS-SERVER", "network.dns", check.PlantIT, 1, []string{"port 53"}},
	{"sinkhole", "DNS server: 0.0.0.0", func(t *testing.T, lab *netlab) string {
		lab.resolve(labHost, "0.0.0.0")
		t.Cleanup(func() { lab.resolve(labHost, labRelay) })
		return ""
	}, "NET-DNS-SINKHOLE", "network.dns", check.Firewall, 1, []string{"off the DNS filter's list", labHost}},
	{"proxy 403", "tinyproxy, another ConnectPort", func(t *testing.T, lab *netlab) string {
		config := filepath.Join(t.TempDir(), "tinyproxy.conf")
		writeFile(t, config, "Port 3128\nListen "+labProxy+"\nTimeout 60\nConnectPort 563\nLogLevel Info\nLogFile \""+lab.path("tinyproxy.log")+"\"\n")
		start(t, lab.path("tinyproxy.out"), "tinyproxy", []string{"-d", "-c", config})
		awaitPort(t, labProxy+":3128")
		return "proxy: {url: \"http://" + labProxy + ":3128\"}\n"
	}, "NET-403", "network.connect", check.Proxy, 1, []string{"allow CONNECT " + labHost + ":443", labProxy + ":3128"}},
	{"proxy 407", "squid, basic authentication", func(t *testing.T, lab *netlab) string {
		return "proxy: {url: \"" + lab.squid(t, 3129, "") + "\"}\n"
	}, "NET-407", "network.connect", check.PlantIT, 1, []string{"password_file", "without a login"}},
	{"proxy 407 wrong password", "squid, basic authentication", func(t *testing.T, lab *netlab) string {
		password := filepath.Join(t.TempDir(), "password")
		writeFile(t, password, "not-the-password\n")
		return "proxy: {url: \"" + lab.squid(t, 3130, "") + "\", username: plant, password_file: " + password + "}\n"
	}, "NET-407-LOGIN", "network.connect", check.PlantIT, 1, []string{"user plant"}},
	{"refused behind the proxy", "squid", func(t *testing.T, lab *netlab) string {
		hosts := filepath.Join(t.TempDir(), "hosts")
		writeFile(t, hosts, labOther+" "+labHost+"\n") // where nobody listens now
		return "proxy: {url: \"" + lab.squid(t, 3131, "http_access allow all\nhosts_file "+hosts+"\n") + "\"}\n"
	}, "NET-502", "network.connect", check.Proxy, 1, []string{"Can the proxy resolve " + labHost}},
	{"Upgrade stripped", "mitmproxy, script", func(t *testing.T, lab *netlab) string {
		proxy, authority := lab.mitm(t, 3140, "def request(flow):\n    flow.request.headers.pop('upgrade', None)\n    flow.request.headers.pop('connection', None)\n")
		return "proxy: {url: \"" + proxy + "\"}\nca_file: " + lab.both(t, authority) + "\n"
	}, "NET-UPGRADE", "network.websocket", check.Proxy, 1, []string{"websockets to " + labHost + " pass"}},
	{"TLS inspected, CA unknown", "mitmproxy", func(t *testing.T, lab *netlab) string {
		proxy, _ := lab.mitm(t, 3141, "")
		return "proxy: {url: \"" + proxy + "\"}\n"
	}, "NET-TLS-INSPECTED", "network.tls", check.Proxy, 1, []string{"root certificate of mitmproxy", "ca_file"}},
	{"TLS inspected, CA given", "mitmproxy", func(t *testing.T, lab *netlab) string {
		proxy, authority := lab.mitm(t, 3142, "")
		return "proxy: {url: \"" + proxy + "\"}\nca_file: " + lab.both(t, authority) + "\n"
	}, "NET-INSPECTED", "network.inspection", check.Proxy, 12, []string{"Nothing has to be done"}},
	{"certificate expired", "HTTPS server of the test", func(t *testing.T, lab *netlab) string {
		cert, key := lab.certificate("expired", time.Now().Add(-48*time.Hour))
		lab.inPlace(t, cert, key, passing(nil))
		return ""
	}, "NET-TLS-EXPIRED", "network.tls", check.Cloud, 1, []string{"renew the certificate of " + labHost}},
	{"clock 5 min off", "Date of the relay's answers moved", func(t *testing.T, lab *netlab) string {
		cert, key := lab.certificate("clock", time.Now().Add(48*time.Hour))
		lab.inPlace(t, cert, key, passing(func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(-5*time.Minute).UTC().Format(http.TimeFormat))
			return nil
		}))
		return ""
	}, "HOST-CLOCK-OFF", "host.clock", check.PlantIT, 1, []string{"timedatectl set-ntp true"}},
	{"block page", "web filter of the test", func(t *testing.T, lab *netlab) string {
		cert, key := lab.certificate("filter", time.Now().Add(48*time.Hour))
		lab.inPlace(t, cert, key, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "PlantWebFilter/7")
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<html><title>Access denied</title>This site is blocked: category Uncategorized, policy OT-Default.</html>")
		}))
		return ""
	}, "NET-BLOCKED", "network.websocket", check.Proxy, 1, []string{"https://" + labHost + "/tunnel on the web filter"}},
}

// rule blocks something on the plant's side while the test runs.
func (l *netlab) rule(t *testing.T, words ...string) {
	t.Helper()
	l.in("nft", append([]string{"add", "rule", "inet", "lab", "out"}, words...)...)
	t.Cleanup(func() { l.in("nft", "flush", "chain", "inet", "lab", "out") })
}

// both puts the inspector's authority beside that of the web.
func (l *netlab) both(t *testing.T, authority string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "both.pem")
	writeFile(t, file, string(read(t, l.path("web-ca.pem")))+string(read(t, authority)))
	return file
}

// squid starts one that asks for a login, or has the given rules.
func (l *netlab) squid(t *testing.T, port int, rules string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "gantry-squid-") // squid's own account enters it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if rules == "" {
		hash, err := exec.Command("openssl", "passwd", "-apr1", "s3cret-of-the-proxy").Output()
		if err != nil {
			t.Fatalf("openssl is missing: apt-get install openssl: %v", err)
		}
		writeFile(t, filepath.Join(folder, "passwd"), "plant:"+string(hash))
		if err := os.Chmod(filepath.Join(folder, "passwd"), 0o644); err != nil {
			t.Fatal(err)
		}
		rules = "auth_param basic program /usr/lib/squid/basic_ncsa_auth " + filepath.Join(folder, "passwd") + "\nauth_param basic realm plant\n" +
			"acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
	}
	config := filepath.Join(folder, "squid.conf")
	writeFile(t, config, fmt.Sprintf("http_port %s:%d\npid_filename none\naccess_log none\ncache_log %s/cache.log\ncache deny all\ncoredump_dir %s\nnetdb_filename none\ndns_nameservers %s\nshutdown_lifetime 0 seconds\n%s",
		labProxy, port, folder, folder, "127.0.0.9", rules))
	start(t, l.path(fmt.Sprintf("squid-%d.log", port)), "squid", []string{"-N", "-f", config})
	awaitPort(t, fmt.Sprintf("%s:%d", labProxy, port))
	return fmt.Sprintf("http://%s:%d", labProxy, port)
}

// TestBrokenNetworks builds each of them for real, and asks the doctor. The clock is moved on the relay's side, by its Date
// header: a Go program without libc does not hear faketime, and a time namespace does not move the wall clock.
func TestBrokenNetworks(t *testing.T) {
	lab := openNetlab(t)
	p := lab.relay(t)
	base := fmt.Sprintf("state_dir: %s\n", p.path("agent"))
	well := base + "ca_file: " + lab.path("web-ca.pem") + "\n"
	p.write("agent.yaml", well)
	if out, code := lab.agent(nil, "enroll", "--token-file", lab.path("token"), "--keep-token-file", "--config", p.path("agent.yaml")); code != 0 {
		t.Fatalf("enroll: %d %s", code, out)
	}

	t.Run("whole", func(t *testing.T) {
		report, out, code, _ := lab.doctor(p.path("agent.yaml"))
		if code != 0 || report.Status != check.Passed {
			t.Errorf("exit %d:\n%s", code, out)
		}
		for _, want := range []string{"network.session", "network.proof", "relay.accepted", "host.clock"} {
			if got := statusOf(report, want); got != check.Passed {
				t.Errorf("%s: %s", want, got)
			}
		}
		t.Log("\n" + out)
	})

	t.Run("whole, and the agent runs", func(t *testing.T) { lab.running(t, p, base) })

	var table strings.Builder
	fmt.Fprintf(&table, "%-26s %-33s %-18s %-18s %-13s %4s %7s\n", "NETWORK", "BUILT WITH", "CHECK", "ID", "FOR", "EXIT", "TIME")
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			yaml := n.breaks(t, lab)
			if !strings.Contains(yaml, "ca_file") {
				yaml += "ca_file: " + lab.path("web-ca.pem") + "\n"
			}
			p.write("broken.yaml", base+yaml)
			report, out, code, took := lab.doctor(p.path("broken.yaml"))
			found := n.judge(t, report, code, took)
			fmt.Fprintf(&table, "%-26s %-33s %-18s %-18s %-13s %4d %6.1fs\n", n.name, n.made, found.Check, found.ID, found.For, code, took.Seconds())
			t.Log("\n" + out)
		})
	}
	t.Log("\n" + table.String())

	t.Run("netcheck", func(t *testing.T) { lab.netcheck(t, p) })
}

// running diagnoses an agent that runs: what counts is the proxy of its environment, not that of the person who asks.
func (l *netlab) running(t *testing.T, p *plant, base string) {
	config := filepath.Join(t.TempDir(), "tinyproxy.conf")
	writeFile(t, config, "Port 3127\nListen "+labProxy+"\nTimeout 60\nAddHeader \"X-Plant\" \"north\"\nLogFile \""+l.path("running.log")+"\"\n")
	hosts := filepath.Join(t.TempDir(), "hosts")
	writeFile(t, hosts, labRelay+" "+labHost+"\n")
	start(t, l.path("running.out"), "unshare", []string{"--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec tinyproxy -d -c "$1"`, hosts, config})
	awaitPort(t, labProxy+":3127")
	p.write("running.yaml", base+"ca_file: "+l.path("web-ca.pem")+"\n")
	service := start(t, l.path("agent.log"), "ip", []string{"netns", "exec", l.space, program(t, "gantry-agent"), "run", "--config", p.path("running.yaml")},
		"HTTPS_PROXY=http://"+labProxy+":3127")
	defer service.stop()
	var report check.Report
	eventually(t, 30*time.Second, "the agent is connected", func() error {
		var code int
		report, _, code, _ = l.doctor(p.path("running.yaml"))
		if code != 0 || !strings.Contains(fmt.Sprint(report), "connected for") {
			return fmt.Errorf("exit %d: %+v", code, report)
		}
		return nil
	})
	for _, r := range report.Results {
		switch said := strings.Join(r.Evidence, "\n"); {
		case r.Check == "network.proxy" && (!strings.Contains(said, labProxy+":3127") || !strings.Contains(said, "HTTPS_PROXY of the service")):
			t.Errorf("the service's proxy is not told: %s", said)
		case r.Check == "network.session" && !strings.Contains(said, "connected for"):
			t.Errorf("the sessions of the agent are not told: %s", said)
		}
	}
	begin := time.Now()
	out, code := l.agent(nil, "doctor", "--deep", "--verbose", "--config", p.path("running.yaml"))
	t.Logf("--deep took %s:\n%s", time.Since(begin).Round(time.Second), out)
	if code != 0 || !strings.Contains(out, "Mbit/s to the relay") || !strings.Contains(out, "a session that carried nothing for 65 s still answers") {
		t.Errorf("--deep: exit %d", code)
	}
}

// judge sees that there is the one finding, and that what follows it was skipped.
func (n network) judge(t *testing.T, report check.Report, code int, took time.Duration) check.Result {
	t.Helper()
	var found check.Result
	failed := 0
	for _, r := range report.Results {
		if r.ID == n.id {
			found = r
		}
		if r.Status == check.Failed {
			failed++
		}
	}
	if found.Check != n.check || found.For != n.team || code != n.exit {
		t.Errorf("%s at %s for %s, exit %d; want %s at %s for %s, exit %d", found.ID, found.Check, found.For, code, n.id, n.check, n.team, n.exit)
	}
	if want := map[bool]int{true: 1, false: 0}[n.exit == 1]; failed != want {
		t.Errorf("%d failed checks, want %d: %+v", failed, want, report.Results)
	}
	for _, text := range n.says {
		if !strings.Contains(found.Fix, text) {
			t.Errorf("the fix does not say %q: %s", text, found.Fix)
		}
	}
	if took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	if strings.Contains(found.Cause+found.Fix, "{from}") || strings.Contains(fmt.Sprint(report), "s3cret") || strings.Contains(fmt.Sprint(report), "not-the-password") {
		t.Errorf("words: %+v", found)
	}
	return found
}

// doctor gives what `doctor --strict` finds in the plant, as a document and as people read it.
func (l *netlab) doctor(config string) (report check.Report, text string, code int, took time.Duration) {
	l.t.Helper()
	begin := time.Now()
	out, code := l.agent(nil, "doctor", "--strict", "--json", "--config", config)
	took = time.Since(begin)
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		l.t.Fatalf("%v: %s", err, out)
	}
	var b strings.Builder
	if err := check.WriteText(&b, report, check.Style{}); err != nil {
		l.t.Fatal(err)
	}
	return report, b.String(), code, took
}

func statusOf(r check.Report, name string) check.Status {
	for _, result := range r.Results {
		if result.Check == name {
			return result.Status
		}
	}
	return ""
}

// relay starts one beyond the gateway, with a certificate that the plant trusts, and has a token for a site.
func (l *netlab) relay(t *testing.T) *plant {
	t.Helper()
	folder, err := os.MkdirTemp("", "gantry-plant-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	cert, key := l.certificate("relay", time.Now().AddDate(0, 2, 0))
	p := &plant{t: t, folder: folder, http: trusting(), url: "https://" + labRelay}
	p.write("relay.yaml", fmt.Sprintf("listen: %s:443\npublic_url: https://%s\ndata_dir: %s\nmetrics_listen: \"\"\ntls: {cert: %s, key: %s}\n",
		labRelay, labHost, p.path("relay"), cert, key))
	l.resolve(labHost, labRelay)
	p.startRelay()
	p.createOrganisation()
	var site struct {
		Token string `json:"enrolment_token"`
	}
	p.must(http.MethodPost, "/sites", map[string]string{"name": "Plant North"}, 201, &site)
	writeFile(t, l.path("token"), site.Token)
	return p
}

// netcheck runs an executable that was never installed, with a token, with an address, and in a broken network.
func (l *netlab) netcheck(t *testing.T, p *plant) {
	p.write("empty.yaml", "state_dir: "+p.path("none")+"\nca_file: "+l.path("web-ca.pem")+"\n")
	for _, args := range [][]string{{"https://" + labHost}, {"--token-file", l.path("token")}} {
		out, code := l.agent(nil, append([]string{"netcheck", "--config", p.path("empty.yaml")}, args...)...)
		if code != 0 || !strings.Contains(out, "Please allow this outgoing connection") || !strings.Contains(out, labRelay) || strings.Contains(out, "FAIL") {
			t.Errorf("netcheck %v: exit %d\n%s", args, code, out)
		}
		t.Log("\n" + out)
	}
	l.rule(t, "ip", "daddr", labRelay, "drop")
	out, code := l.agent(nil, "netcheck", "--json", "--config", p.path("empty.yaml"), "--token-file", l.path("token"))
	var document struct {
		check.Report
		Request struct {
			Host, Port, From string
			Addresses        []string
		}
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	q := document.Request
	if code != 1 || document.Count(check.Failed) != 1 || q.Host != labHost || q.Port != "443" || len(q.Addresses) != 1 || !strings.Contains(q.From, labPlant) {
		t.Errorf("exit %d: %+v", code, document)
	}
	if _, err := os.Stat(p.path("none")); err == nil {
		t.Error("netcheck made a state folder")
	}
	if _, err := net.ResolveIPAddr("ip", labHost); err == nil {
		t.Error("the relay's name is known outside of the plant: the test tells nothing")
	}
}

package configs

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Agent is the configuration of gantry-agent (agent.yaml). It holds values only.
type Agent struct {
	StateDir    string `yaml:"state_dir"` // database, keys, certificate; owned by the service's account
	Proxy       Proxy  `yaml:"proxy"`
	CAFile      string `yaml:"ca_file"` // extra roots for the outer TLS, PEM
	Sessions    int    `yaml:"sessions"`
	Log         Log    `yaml:"log"`
	Support     string `yaml:"support"` // ask, allow or deny remote diagnosis
	Policy      Policy `yaml:"policy"`
	Definitions string `yaml:"definitions"` // folder of the site's own definitions and overlays
}

// Proxy is the HTTP CONNECT proxy on the way to the relay. Without a URL the environment's HTTPS_PROXY and NO_PROXY hold,
// then the settings of Windows. A login is for whichever of them it is, unless its own URL has one.
type Proxy struct {
	URL          string   `yaml:"url"`
	Username     string   `yaml:"username"` // also as DOMAIN\user
	PasswordFile string   `yaml:"password_file"`
	NoProxy      []string `yaml:"no_proxy"` // hosts without a proxy, whatever is set elsewhere, in the form of NO_PROXY
}

// Log says what is written where.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text or json
	File   string `yaml:"file"`   // empty: the service manager's folder for logs, or standard error

	MaxSize int64 `yaml:"max_size"` // of one file, in bytes
	Keep    int   `yaml:"keep"`     // full files beside the one that is written to
}

// DefaultLog gives what holds where a configuration says nothing of the log.
func DefaultLog() Log { return Log{Level: "info", Format: "text", MaxSize: 10 << 20, Keep: 4} }

// Policy is the plant's last word on what the agent may do. It cannot be widened from the cloud.
type Policy struct {
	Targets  []string `yaml:"targets"` // host:port patterns (ParseTarget), none by default
	Paths    []string `yaml:"paths"`   // folders for files and SQLite databases, none by default
	Writes   bool     `yaml:"writes"`
	Overlays bool     `yaml:"overlays"` // the cloud may map further columns onto custom fields
	Rules    Rules    `yaml:",inline"`

	Passthrough map[string][]string `yaml:"passthrough"` // by connection name or id: native requests that pass (ParsePassthrough), none by default

	Connections map[string]Rules `yaml:"connections"` // by connection name or id: these rules hold as well
}

// Rules narrow what calls may do. Empty lists allow everything that Writes allows; what a deny list names is refused
// whatever else is allowed. MaxRows, Rate and Concurrency are caps of each connection; in QuietHours it is left alone.
type Rules struct {
	Systems        []string `yaml:"systems"`         // only these systems
	Entities       []string `yaml:"entities"`        // only these entities
	Operations     []string `yaml:"operations"`      // only these: `list`, `purchase-orders:create`, `*:approve`
	DenySystems    []string `yaml:"deny_systems"`    // never these
	DenyEntities   []string `yaml:"deny_entities"`   // never these
	DenyOperations []string `yaml:"deny_operations"` // never these, in the form of Operations
	DenyFields     []string `yaml:"deny_fields"`     // `purchase-orders.price`, `*.tax_id`
	MaxRows        int      `yaml:"max_rows"`        // rows that one call may read; 0: no cap
	Rate           string   `yaml:"rate"`            // calls, as `20/s` or `600/m`; empty: no cap
	Concurrency    int      `yaml:"concurrency"`     // calls at once; 0: no cap
	QuietHours     []string `yaml:"quiet_hours"`     // in which nothing is asked of the systems: `22:00-04:00`, `Sat,Sun 00:00-24:00`
}

// What a log file may be, in bytes, and how many are kept.
const (
	minLogFile  = 64 << 10
	maxLogFile  = 1 << 30
	maxLogFiles = 100
)

// RenewAt is the part of a certificate's life after which it is renewed.
const RenewAt = 2.0 / 3

// Timings of the agent that a test may shorten.
type Timings struct {
	ReconnectMin, ReconnectMax, Healthy time.Duration
}

// AgentSample is agent.yaml: every key with its meaning and its default.
//
//go:embed agent.yaml
var AgentSample string

// DefaultAgent gives what holds where agent.yaml says nothing.
func DefaultAgent() Agent {
	return Agent{
		StateDir: DefaultAgentState(),
		Sessions: 2,
		Log:      DefaultLog(),
		Support:  "ask",
	}
}

// DefaultAgentFile is where agent.yaml is looked for unless another place is named.
func DefaultAgentFile() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(windowsFolder(), "agent.yaml")
	}
	return "/etc/gantry-agent/agent.yaml"
}

// AgentLogName is the name of the agent's log in the folder that a service manager makes for it.
const AgentLogName = "agent.log"

// DefaultAgentLogs is the folder in which the installed service keeps its log.
func DefaultAgentLogs() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(windowsFolder(), "logs")
	}
	return "/var/log/gantry-agent"
}

// DefaultAgentState is the agent's own folder.
func DefaultAgentState() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(windowsFolder(), "state")
	}
	return "/var/lib/gantry-agent"
}

func windowsFolder() string { return filepath.Join(programData(), "Gantry Agent") }

// LoadAgent reads agent.yaml from path, or from DefaultAgentFile where path is empty; only there may it be missing, and
// then the defaults hold, whose policy allows nothing. Relative paths count from the file's folder. The error is
// *Problems, or that of reading the file.
func LoadAgent(path string) (Agent, error) {
	if path != "" {
		return Load(path, DefaultAgent(), validateAgent(path))
	}
	path = DefaultAgentFile()
	config, err := Load(path, DefaultAgent(), validateAgent(path))
	if errors.Is(err, os.ErrNotExist) {
		return DefaultAgent(), nil
	}
	return config, err
}

// ParseAgent is LoadAgent for a document that is in memory; file is the name that its problems carry.
func ParseAgent(file string, data []byte) (Agent, error) {
	return Parse(file, data, DefaultAgent(), validateAgent(file))
}

// AgentLines gives, for every key that the document has, the line on which it stands.
func AgentLines(file string, data []byte) map[string]int {
	_, report, _ := parse(file, data, DefaultAgent(), nil)
	lines := map[string]int{}
	for path, at := range report.places {
		lines[path] = at.line
	}
	return lines
}

// validateAgent completes and checks what was read from file.
func validateAgent(file string) func(*Agent, *Report) {
	return func(a *Agent, r *Report) {
		for _, path := range []*string{&a.StateDir, &a.CAFile, &a.Definitions, &a.Proxy.PasswordFile, &a.Log.File} {
			*path = absolute(file, *path)
		}
		if a.StateDir == "" {
			r.Reject("state_dir", "Name a folder, or take the line away for "+DefaultAgentState(), "cannot be empty")
		}
		if a.Sessions < 1 || a.Sessions > 8 {
			r.Reject("sessions", "Write a number from 1 to 8; 2 is usual", "%d sessions are not possible", a.Sessions)
		}
		choice(r, "support", a.Support, "ask", "allow", "deny")
		a.Log.validate(r)
		a.Proxy.validate(r)
		a.Policy.validate(r)
	}
}

func (l *Log) validate(r *Report) {
	choice(r, "log.level", l.Level, "debug", "info", "warn", "error")
	choice(r, "log.format", l.Format, "text", "json")
	if l.MaxSize < minLogFile || l.MaxSize > maxLogFile {
		r.Reject("log.max_size", "Write bytes, from 65536 to 1073741824; 10485760 is usual", "%d bytes are not possible", l.MaxSize)
	}
	if l.Keep < 0 || l.Keep > maxLogFiles {
		r.Reject("log.keep", "Write a number from 0 to 100; 4 is usual", "%d files are not possible", l.Keep)
	}
}

func (p *Proxy) validate(r *Report) {
	if p.URL != "" {
		p.validateURL(r)
	}
	if p.Username == "" && p.PasswordFile != "" {
		r.Reject("proxy.password_file", "Add proxy.username", "a password needs a user")
	}
	if p.Username != "" && p.PasswordFile == "" {
		r.Reject("proxy.username", "Add proxy.password_file, a file that holds only the password", "a user needs a password")
	}
}

func (p *Proxy) validateURL(r *Report) {
	const fix = "Write it as `http://proxy.plant.local:3128`"
	u, err := url.Parse(p.URL)
	switch {
	case err != nil: // its text repeats the URL, in which a password may stand
		r.Reject("proxy.url", fix, "is no URL")
	case u.User != nil:
		r.Reject("proxy.url", "Move them to proxy.username and a file named by proxy.password_file", "a URL must not hold a user or a password")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		r.Reject("proxy.url", fix, "should be a URL that begins with http:// or https:// and names a host")
	}
}

func (p *Policy) validate(r *Report) {
	for i, target := range p.Targets {
		if _, err := ParseTarget(target); err != nil {
			r.Reject(fmt.Sprintf("policy.targets[%d]", i), "Write host:port, as `db.plant.local:5432`, `*.plant.local:1433` or `10.1.2.0/24:*`", "%q %v", clip(target), err)
		}
	}
	for i, path := range p.Paths {
		if !filepath.IsAbs(path) {
			r.Reject(fmt.Sprintf("policy.paths[%d]", i), "Write the whole path, from the root", "%q is not absolute", clip(path))
		}
	}
	p.Rules.validate("policy", r)
	for name, patterns := range p.Passthrough {
		each(r, "policy.passthrough."+name, patterns, passthroughFix, passthrough)
	}
	for name, rules := range p.Connections {
		rules.validate("policy.connections."+name, r)
	}
}

// choice rejects a value that is none of those allowed.
func choice(r *Report, path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.Reject(path, "Write one of "+strings.Join(allowed, ", "), "%q is not known", clip(value))
	}
}

package configs

import "time"

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

// Proxy is the HTTP CONNECT proxy on the way to the relay. Without a URL the environment's HTTPS_PROXY and NO_PROXY hold.
type Proxy struct {
	URL          string `yaml:"url"`
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
}

// Log says what is written where.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text or json
	File   string `yaml:"file"`   // empty: standard error
}

// Policy is the plant's last word on what the agent may do. It cannot be widened from the cloud.
type Policy struct {
	Targets     []string         `yaml:"targets"` // host:port patterns, none by default
	Paths       []string         `yaml:"paths"`   // folders for files and SQLite databases, none by default
	Writes      bool             `yaml:"writes"`
	Rules       Rules            `yaml:",inline"`
	Connections map[string]Rules `yaml:"connections"` // by connection name or id: these rules hold as well
}

// Rules narrow what calls may do. Empty lists allow everything that Writes allows.
type Rules struct {
	Systems     []string `yaml:"systems"`     // only these systems
	Entities    []string `yaml:"entities"`    // only these entities
	Operations  []string `yaml:"operations"`  // only these: `list`, `purchase-orders:create`, `*:approve`
	DenyFields  []string `yaml:"deny_fields"` // `purchase-orders.price`, `*.tax_id`
	MaxRows     int      `yaml:"max_rows"`    // rows that one call may read; 0: no cap
	Rate        string   `yaml:"rate"`        // calls, as `20/s` or `600/m`; empty: no cap
	Concurrency int      `yaml:"concurrency"` // calls at once; 0: no cap
}

// RenewAt is the part of a certificate's life after which it is renewed.
const RenewAt = 2.0 / 3

// Timings of the agent that a test may shorten.
type Timings struct {
	ReconnectMin, ReconnectMax, Healthy time.Duration
}

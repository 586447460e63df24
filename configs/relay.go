package configs

import (
	_ "embed"
	"errors"
	"os"
	"time"
)

// Relay is the configuration of gantry-relay (relay.yaml). It holds values only.
type Relay struct {
	Listen          string        `yaml:"listen"`     // API and tunnel; 127.0.0.1:8480
	PublicURL       string        `yaml:"public_url"` // what agents and clients call; from listen unless set
	DataDir         string        `yaml:"data_dir"`
	TLS             TLS           `yaml:"tls"`
	TrustedProxies  []string      `yaml:"trusted_proxies"`  // CIDRs whose X-Forwarded-For is believed
	MetricsListen   string        `yaml:"metrics_listen"`   // 127.0.0.1:8481; empty: none
	CertificateLife time.Duration `yaml:"certificate_life"` // of agents, 168h
	DrainTimeout    time.Duration `yaml:"drain_timeout"`
	Limits          RelayLimits   `yaml:"limits"`
	Webhooks        RelayWebhooks `yaml:"webhooks"`
	Log             Log           `yaml:"log"`
}

// TLS are the files of the relay's own HTTPS.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// RelayLimits bound what callers may ask for.
type RelayLimits struct {
	Body                 int64         `yaml:"body"`                   // bytes of a request body
	Header               int           `yaml:"header"`                 // bytes of a request's header
	CallTimeout          time.Duration `yaml:"call_timeout"`           // a unary call in all
	FirstRow             time.Duration `yaml:"first_row"`              // a stream's first row
	StreamIdle           time.Duration `yaml:"stream_idle"`            // a stream whose source says nothing
	ClientStall          time.Duration `yaml:"client_stall"`           // a client that reads nothing
	CallsPerConnection   int           `yaml:"calls_per_connection"`   // at once
	StreamsPerConnection int           `yaml:"streams_per_connection"` // at once
	RatePerToken         int           `yaml:"rate_per_token"`         // calls a second
	BurstPerToken        int           `yaml:"burst_per_token"`
}

// RelayWebhooks say where webhooks may lead beyond public addresses by HTTPS.
type RelayWebhooks struct {
	AllowPrivate []string `yaml:"allow_private"` // CIDRs
	AllowHTTP    bool     `yaml:"allow_http"`
}

// RelaySample is relay.yaml: every key with its meaning and its default.
//
//go:embed relay.yaml
var RelaySample string

// DefaultRelay gives what holds where relay.yaml says nothing: a relay on loopback, its data beside where it was started.
func DefaultRelay() Relay {
	return Relay{
		Listen:          "127.0.0.1:8480",
		DataDir:         "gantry-data",
		MetricsListen:   "127.0.0.1:8481",
		CertificateLife: 168 * time.Hour,
		DrainTimeout:    30 * time.Second,
		Limits: RelayLimits{
			Body: 1 << 20, Header: 32 << 10,
			CallTimeout: 30 * time.Second, FirstRow: time.Minute, StreamIdle: time.Minute, ClientStall: time.Minute,
			CallsPerConnection: 32, StreamsPerConnection: 4,
			RatePerToken: 50, BurstPerToken: 200,
		},
		Log: DefaultLog(),
	}
}

// RelayLogName is the name of the relay's log in the folder that a service manager makes for it.
const RelayLogName = "relay.log"

// DefaultRelayFile is where relay.yaml is looked for unless another place is named.
const DefaultRelayFile = "/etc/gantry-relay/relay.yaml"

// LoadRelay reads relay.yaml from path, or from DefaultRelayFile where path is empty; only there may it be missing, and
// then the defaults hold. The error is *Problems, or that of reading the file.
func LoadRelay(path string) (Relay, error) {
	if path != "" {
		return Load(path, DefaultRelay(), validateRelay(path))
	}
	config, err := Load(DefaultRelayFile, DefaultRelay(), validateRelay(DefaultRelayFile))
	if errors.Is(err, os.ErrNotExist) {
		return DefaultRelay(), nil
	}
	return config, err
}

// ParseRelay is LoadRelay for a document that is in memory; file is the name that its problems carry.
func ParseRelay(file string, data []byte) (Relay, error) {
	return Parse(file, data, DefaultRelay(), validateRelay(file))
}

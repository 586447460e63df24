package configs

import "time"

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

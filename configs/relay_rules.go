package configs

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"
)

// validateRelay completes and checks what was read from file.
func validateRelay(file string) func(*Relay, *Report) {
	return func(c *Relay, r *Report) {
		c.complete(file, r)
		address(r, "listen", c.Listen)
		if c.MetricsListen != "" {
			address(r, "metrics_listen", c.MetricsListen)
		}
		if c.DataDir == "" {
			r.Reject("data_dir", "Name a folder", "cannot be empty")
		}
		c.validatePublicURL(r)
		c.TLS.validate(r)
		networks(r, "trusted_proxies", c.TrustedProxies)
		c.validateExposure(r)
		between(r, "certificate_life", c.CertificateLife, time.Hour, 90*24*time.Hour)
		between(r, "drain_timeout", c.DrainTimeout, 0, 10*time.Minute)
		c.Limits.validate(r)
		networks(r, "webhooks.allow_private", c.Webhooks.AllowPrivate)
		c.Log.validate(r)
	}
}

// complete makes the paths that the file gives absolute. The default data folder stays beside where the relay was
// started, as it does without a file.
func (c *Relay) complete(file string, r *Report) {
	if r.Line("data_dir") > 0 {
		c.DataDir = absolute(file, c.DataDir)
	}
	for _, path := range []*string{&c.TLS.Cert, &c.TLS.Key, &c.Log.File} {
		*path = absolute(file, *path)
	}
}

// validateExposure refuses to serve tokens in the clear to other machines.
func (c *Relay) validateExposure(r *Report) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || loopback(host) || c.TLS.Cert != "" || c.TLS.Key != "" || len(c.TrustedProxies) > 0 {
		return
	}
	r.Reject("listen", "Set tls.cert and tls.key, or name the HTTPS proxies in front in trusted_proxies, or listen on 127.0.0.1",
		"%q can be reached by other machines, and without HTTPS they could read tokens and data", clip(c.Listen))
}

func (c *Relay) validatePublicURL(r *Report) {
	const fix = "Write it as `https://gantry.example.com`"
	if c.PublicURL == "" {
		return
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		r.Reject("public_url", fix, "%q is no URL of a host", clip(c.PublicURL))
	case u.Path != "" && u.Path != "/":
		r.Reject("public_url", fix+"; the relay needs a host name of its own", "a path is not possible")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		r.Reject("public_url", fix, "should begin with https://, unless it is of this machine only")
	}
}

// networks rejects what is no network, and writes a single address as the network of that address alone.
func networks(r *Report, path string, list []string) {
	for i, text := range list {
		prefix, err := parsePrefix(text)
		if err != nil {
			r.Reject(path+"["+strconv.Itoa(i)+"]", "Write a network or an address, as `10.0.0.0/8` or `192.0.2.7`", "%q is no network", clip(text))
			continue
		}
		list[i] = prefix.String()
	}
}

func (t *TLS) validate(r *Report) {
	switch {
	case t.Cert != "" && t.Key == "":
		r.Reject("tls.cert", "Add tls.key, the file of its private key", "a certificate needs a key")
	case t.Cert == "" && t.Key != "":
		r.Reject("tls.key", "Add tls.cert, the file of its certificate", "a key needs a certificate")
	}
	for path, file := range map[string]string{"tls.cert": t.Cert, "tls.key": t.Key} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			r.Reject(path, "Check the path, and that the relay's account may read it", "%q cannot be opened", clip(file))
		}
	}
}

func (l *RelayLimits) validate(r *Report) {
	between(r, "limits.body", l.Body, 1<<10, 64<<20)
	between(r, "limits.header", l.Header, 4<<10, 1<<20)
	for path, value := range map[string]time.Duration{
		"limits.call_timeout": l.CallTimeout, "limits.first_row": l.FirstRow,
		"limits.stream_idle": l.StreamIdle, "limits.client_stall": l.ClientStall,
	} {
		between(r, path, value, time.Second, time.Hour)
	}
	for path, value := range map[string]int{
		"limits.calls_per_connection": l.CallsPerConnection, "limits.streams_per_connection": l.StreamsPerConnection,
		"limits.rate_per_token": l.RatePerToken, "limits.burst_per_token": l.BurstPerToken,
	} {
		between(r, path, value, 1, 1_000_000)
	}
}

// between rejects a value that is out of its range.
func between[T int | int64 | time.Duration](r *Report, path string, value, low, high T) {
	if value < low || value > high {
		r.Reject(path, "", "%v is not from %v to %v", value, low, high)
	}
}

// address rejects what is not an address to listen on.
func address(r *Report, path, value string) {
	_, port, err := net.SplitHostPort(value)
	if number, bad := strconv.Atoi(port); err != nil || bad != nil || number < 0 || number > 65535 {
		r.Reject(path, "Write host:port, as `127.0.0.1:8480`", "%q is no address to listen on", clip(value))
	}
}

// loopback reports whether a host is this machine only. An empty host is every address.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

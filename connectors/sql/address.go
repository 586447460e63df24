package sqldriver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"

	"gantry/connectors"
)

// address is where a database is and how to log in, from a Target's settings.
type address struct {
	host     string
	port     int
	database string
	username string
	password connectors.Secret
	path     string // SQLite
	secure   security
	roots    *x509.CertPool // nil: the machine's

	dial     connectors.DialFunc
	openPath connectors.PathFunc
}

// security is the setting `tls`.
type security string

const (
	tlsDisable security = "disable"     // never
	tlsPrefer  security = "prefer"      // where the server can, any certificate
	tlsRequire security = "require"     // always, any certificate unless `ca` is given
	tlsVerify  security = "verify-full" // always, and the certificate must be the host's
)

// newAddress reads the settings. It checks types: presence is the login form's business.
func newAddress(t connectors.Target) (address, error) {
	a := address{password: t.Credentials["password"], dial: t.Dial, openPath: t.OpenPath}
	texts := map[string]*string{"host": &a.host, "database": &a.database, "username": &a.username, "path": &a.path}
	for name, into := range texts {
		if err := readText(t.Settings, name, into); err != nil {
			return a, err
		}
	}
	var err error
	if a.port, err = readPort(t.Settings["port"]); err != nil {
		return a, err
	}
	return a, a.readTLS(t.Settings)
}

func readText(settings map[string]any, name string, into *string) error {
	switch v := settings[name].(type) {
	case nil:
	case string:
		*into = v
	default:
		return connectors.Misuse("the setting %s must be text", name)
	}
	return nil
}

// readPort takes the forms in which JSON and YAML give a number, and the text that a form gives.
func readPort(v any) (int, error) {
	port, err := 0, error(nil)
	switch v := v.(type) {
	case nil:
	case int:
		port = v
	case int64:
		port = int(v)
	case float64:
		port = int(v)
	case fmt.Stringer: // json.Number
		port, err = strconv.Atoi(v.String())
	case string:
		port, err = strconv.Atoi(v)
	default:
		err = strconv.ErrSyntax
	}
	if err != nil || port < 0 || port > 65535 {
		return 0, connectors.Misuse("the setting port must be a number up to 65535")
	}
	return port, nil
}

func (a *address) readTLS(settings map[string]any) error {
	var mode, ca string
	if err := readText(settings, "tls", &mode); err != nil {
		return err
	}
	if err := readText(settings, "ca", &ca); err != nil {
		return err
	}
	switch a.secure = security(mode); a.secure {
	case "":
		a.secure = tlsPrefer
	case tlsDisable, tlsPrefer, tlsRequire, tlsVerify:
	default:
		return connectors.Misuse("the setting tls must be disable, prefer, require or verify-full")
	}
	if ca == "" {
		return nil
	}
	a.roots = x509.NewCertPool()
	if !a.roots.AppendCertsFromPEM([]byte(ca)) {
		return connectors.Misuse("the setting ca holds no certificate in PEM form")
	}
	return nil
}

// tlsConfig is the client side of TLS; nil: none.
func (a address) tlsConfig() *tls.Config {
	if a.secure == tlsDisable {
		return nil
	}
	c := &tls.Config{ServerName: a.host, RootCAs: a.roots, MinVersion: tls.VersionTLS12}
	if a.secure == tlsPrefer || a.secure == tlsRequire && a.roots == nil {
		c.InsecureSkipVerify = true // what the person who set `prefer` or `require` asked for: no name to check against
	}
	return c
}

// dialer gives the one way to the server. It ignores what a client library resolved: the plant's policy is written for
// the host that the settings name, and it resolves the name itself.
func (a address) dialer(port int) func(ctx context.Context, network, address string) (net.Conn, error) {
	target := net.JoinHostPort(a.host, strconv.Itoa(a.portOr(port)))
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return a.dial(ctx, "tcp", target) }
}

func (a address) portOr(usual int) int {
	if a.port == 0 {
		return usual
	}
	return a.port
}

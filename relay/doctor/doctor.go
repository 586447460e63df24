// Package doctor holds the checks of gantry-relay doctor: the relay's own machine and files, with a relay serving or not. A
// check looks and never mends. The way of a connection's calls is package api's to diagnose.
package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"gantry/configs"
	"gantry/relay/admin"
	"gantry/relay/disk"
	recordfile "gantry/relay/records/sqlite"
	"gantry/relay/store/sqlite"
	"gantry/tunnel/check"
)

// Bounds of what is in order.
const (
	soon     = 14 * 24 * time.Hour // before a certificate's end
	clockOff = 5 * time.Minute
)

// Server is what is looked at.
type Server struct {
	Config  configs.Relay
	Problem error // why there is no configuration; nil: Config holds
	Status  func(ctx context.Context) (admin.Status, error)
}

// Checks lists the checks, in the order in which one reads them.
func (s Server) Checks() []check.Check {
	const config, data = "server.config", "server.data"
	return []check.Check{
		{Name: config, Title: "Configuration", Run: s.config},
		{Name: data, Title: "Data folder", Needs: []string{config}, Run: s.data},
		{Name: "server.modes", Title: "Who may read it", Needs: []string{data}, Run: s.modes},
		{Name: "server.database", Title: "Database", Needs: []string{data}, Run: s.database},
		{Name: "server.disk", Title: "Disk", Needs: []string{data}, Run: s.disk},
		{Name: "server.clock", Title: "Clock", Needs: []string{data}, Run: s.clock},
		{Name: "server.running", Title: "Relay", Needs: []string{data}, Run: s.running},
		{Name: "server.listen", Title: "Address", Needs: []string{config}, Run: s.listen},
		{Name: "server.tls", Title: "HTTPS certificate", Needs: []string{config}, Run: s.tls},
	}
}

func (s Server) config(context.Context) check.Outcome {
	if s.Problem != nil {
		return check.Fail("SRV-CONFIG", s.Problem.Error())
	}
	return check.Pass("valid")
}

func (s Server) data(context.Context) check.Outcome {
	if _, err := os.Stat(filepath.Join(s.Config.DataDir, sqlite.File)); err != nil {
		return check.Fail("SRV-NODATA", err.Error()).With("folder", s.Config.DataDir)
	}
	return check.Pass(s.Config.DataDir)
}

// modes looks at who else may read. Windows decides by lists that the installation sets.
func (s Server) modes(context.Context) check.Outcome {
	if runtime.GOOS == "windows" {
		return check.Pass("decided by the folder's access list")
	}
	for _, name := range []string{"", sqlite.File, sqlite.File + "-wal", recordfile.File, recordfile.File + "-wal", admin.SocketName} {
		path := filepath.Join(s.Config.DataDir, name)
		info, err := os.Lstat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			return check.Fail("SRV-MODES", fmt.Sprintf("%s has the mode %s", path, info.Mode())).With("path", path)
		}
	}
	return check.Pass("this account alone")
}

func (s Server) database(ctx context.Context) check.Outcome {
	found, err := sqlite.Check(ctx, s.Config.DataDir)
	if err != nil {
		found = append(found, err.Error())
	}
	if len(found) > 0 {
		return check.Fail("SRV-DATABASE", found...)
	}
	return check.Pass("whole")
}

func (s Server) disk(context.Context) check.Outcome {
	free, err := disk.Free(s.Config.DataDir)
	if err != nil {
		return check.Skip("the system does not tell: " + err.Error())
	}
	said := fmt.Sprintf("%d MB free", free>>20)
	outcome := check.Pass(said)
	if free < disk.Least {
		outcome = check.Fail("SRV-DISK", said)
	} else if free < disk.Low {
		outcome = check.Warn("SRV-DISK", said)
	}
	return outcome.With("free", strconv.FormatInt(free>>20, 10)).With("folder", s.Config.DataDir)
}

// clock compares with when the database was last written: another clock there is none.
func (s Server) clock(context.Context) check.Outcome {
	info, err := os.Stat(filepath.Join(s.Config.DataDir, sqlite.File))
	if err != nil {
		return check.Skip(err.Error())
	}
	if ahead := time.Until(info.ModTime()); ahead > clockOff {
		return check.Fail("SRV-CLOCK", "the database was written "+info.ModTime().UTC().Format(time.RFC3339)).With("ahead", ahead.Round(time.Second).String())
	}
	return check.Pass(time.Now().UTC().Format(time.RFC3339) + ", not before what was written")
}

func (s Server) running(ctx context.Context) check.Outcome {
	status, err := s.Status(ctx)
	switch {
	case errors.Is(err, admin.ErrNotRunning):
		return check.Fail("SRV-STOPPED", "nobody answers at "+filepath.Join(s.Config.DataDir, admin.SocketName))
	case err != nil:
		return check.Fail("SRV-ADMIN", err.Error())
	}
	said := []string{fmt.Sprintf("version %s, %d agents connected", status.Version, status.Agents)}
	return check.Pass(append(said, status.Problems...)...)
}

// listen tries the address where no relay has it.
func (s Server) listen(ctx context.Context) check.Outcome {
	if status, err := s.Status(ctx); err == nil {
		return check.Pass("the relay listens on " + status.Listen)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return check.Fail("SRV-LISTEN", err.Error()).With("address", s.Config.Listen)
	}
	_ = l.Close() // it was only tried
	return check.Pass(s.Config.Listen + " is free")
}

func (s Server) tls(context.Context) check.Outcome {
	cert := s.Config.TLS.Cert
	if cert == "" {
		return check.Pass("none: the relay serves plain HTTP, on loopback or behind trusted proxies")
	}
	pair, err := tls.LoadX509KeyPair(cert, s.Config.TLS.Key)
	if err != nil {
		return check.Fail("SRV-TLS", err.Error()).With("cert", cert)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return check.Fail("SRV-TLS", err.Error()).With("cert", cert)
	}
	end := leaf.NotAfter.UTC().Format(time.DateOnly)
	left := time.Until(leaf.NotAfter)
	said := fmt.Sprintf("for %v, until %s (%d days)", leaf.DNSNames, end, int(left.Hours()/24))
	if left <= 0 {
		return check.Fail("SRV-TLS-EXPIRED", said).With("end", end).With("cert", cert)
	}
	if u, err := url.Parse(s.Config.PublicURL); err == nil && u.Hostname() != "" && leaf.VerifyHostname(u.Hostname()) != nil {
		return check.Fail("SRV-TLS-NAME", said).With("host", u.Hostname())
	}
	if left < soon {
		return check.Warn("SRV-TLS-SOON", said).With("end", end).With("cert", cert)
	}
	return check.Pass(said)
}

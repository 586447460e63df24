package doctor

import (
	"context"
	"os"
	"path/filepath"

	"gantry/tunnel/check"
)

// checkProgram is about the file that the service starts.
func (m *machine) checkProgram(ctx context.Context) check.Outcome {
	s, _ := m.service.get(ctx)
	if !s.Installed || s.Binary == "" {
		return check.Pass("not needed: there is no service")
	}
	theirs, err := os.Stat(s.Binary)
	if err != nil || !theirs.Mode().IsRegular() || executable(theirs) != nil {
		return check.Fail("HOST-NO-PROGRAM", s.Binary+" cannot be run").With("binary", s.Binary)
	}
	if hand, packaged := shadowed(s); packaged != "" {
		return check.Warn("HOST-SHADOWED", "in force: "+hand, "of the package: "+packaged).
			With("command", "rm "+hand+" && systemctl daemon-reload && systemctl restart gantry-agent")
	}
	ours, err := os.Stat(m.Executable)
	if err != nil || os.SameFile(ours, theirs) {
		return check.Pass(s.Binary)
	}
	return check.Warn("HOST-OTHER-PROGRAM", "the service starts "+s.Binary, "this is "+m.Executable).With("binary", s.Binary).With("here", m.Executable)
}

// shadowed finds a unit of a package that one in /etc hides.
func shadowed(s Service) (hand, packaged string) {
	if s.Manager != "systemd" || s.Packaged {
		return "", ""
	}
	for _, folder := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		path := filepath.Join(folder, filepath.Base(s.Unit))
		if _, err := os.Stat(path); err == nil && path != s.Unit {
			return s.Unit, path
		}
	}
	return "", ""
}

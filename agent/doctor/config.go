package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"gantry/configs"
	"gantry/tunnel/check"
)

// loadedConfig is the configuration as it stands on disk, and the state folder in force.
type loadedConfig struct {
	configs.Agent
	exists bool
}

// checkFile reads the configuration. Its evidence is every value that the file sets, with its line.
func (m *machine) checkFile(context.Context) check.Outcome {
	file := m.ConfigFile
	if !m.ConfigSet {
		file = "" // the default may be missing
	}
	config, err := configs.LoadAgent(file)
	if m.StateDir != "" {
		config.StateDir = m.StateDir
	}
	m.config.Agent = config
	if problems, ok := errors.AsType[*configs.Problems](err); ok {
		var lines []string
		for _, p := range problems.List {
			lines = append(lines, p.String())
		}
		return check.Fail("CFG-INVALID", lines...).With("file", m.ConfigFile)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return check.Skip("this account may not read " + m.ConfigFile)
	case err != nil:
		return check.Fail("CFG-INVALID", err.Error()).With("file", m.ConfigFile)
	}
	data, err := os.ReadFile(m.ConfigFile)
	if err != nil {
		return check.Pass(m.ConfigFile+" is not there: the defaults hold, the policy allows nothing", "state_dir = "+config.StateDir+" (default)")
	}
	m.config.exists = true
	evidence := []string{m.ConfigFile + " is valid"}
	for _, s := range configs.AgentSettings(m.ConfigFile, data) {
		evidence = append(evidence, fmt.Sprintf("%s = %s (line %d)", s.Path, s.Value, s.Line))
	}
	if m.StateDir != "" {
		evidence = append(evidence, "state_dir = "+m.StateDir+" (--state-dir)")
	}
	return check.Pass(evidence...)
}

// checkNamedFiles opens what the configuration names, as the agent will.
func (m *machine) checkNamedFiles(context.Context) check.Outcome {
	var wrong, right []string
	for _, named := range []struct{ key, path string }{
		{"ca_file", m.config.CAFile}, {"proxy.password_file", m.config.Proxy.PasswordFile},
	} {
		if named.path == "" {
			continue
		}
		content, err := os.ReadFile(named.path)
		switch {
		case errors.Is(err, fs.ErrPermission) && os.Geteuid() > 0:
			return check.Skip("only an administrator may read " + named.path)
		case err != nil:
			wrong = append(wrong, named.key+": "+err.Error())
		case named.key == "ca_file" && !x509.NewCertPool().AppendCertsFromPEM(content):
			wrong = append(wrong, "ca_file: "+named.path+" holds no certificate in PEM form")
		case len(content) == 0:
			wrong = append(wrong, named.key+": "+named.path+" is empty")
		default:
			right = append(right, named.key+": "+named.path)
		}
	}
	if path := m.config.Definitions; path != "" {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			wrong = append(wrong, "definitions: "+path+" is no folder that can be opened")
		} else {
			right = append(right, "definitions: "+path)
		}
	}
	switch {
	case len(wrong) > 0:
		return check.Fail("CFG-FILES", wrong...).With("file", m.ConfigFile)
	case len(right) == 0:
		return check.Pass("it names none")
	}
	return check.Pass(right...)
}

// checkLoaded compares the file's age with what the running agent read.
func (m *machine) checkLoaded(ctx context.Context) check.Outcome {
	running, _ := m.running.get(ctx) // host.answers told why not
	if running.Problem != "" {
		return check.Warn("CFG-NOT-LOADED", "the agent says: "+running.Problem).With("file", m.ConfigFile)
	}
	info, err := os.Stat(m.ConfigFile)
	if err != nil || running.ConfigFile != m.ConfigFile || running.Policy.LoadedAt.IsZero() {
		return check.Pass("the running agent has the defaults, or a file of its own")
	}
	read := running.Policy.LoadedAt
	if info.ModTime().After(read) {
		return check.Warn("CFG-NOT-LOADED", fmt.Sprintf("changed %s, read %s", stamp(info.ModTime()), stamp(read))).With("file", m.ConfigFile)
	}
	return check.Pass("read " + stamp(read))
}

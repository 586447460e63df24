package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gantry/agent/control"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// Service is the agent as the machine's service manager sees it.
type Service struct {
	Manager   string // systemd, windows; none: there is none that is known
	Installed bool
	Packaged  bool // its definition belongs to a package
	Enabled   bool // it starts with the machine
	Running   bool
	Phase     string // the manager's own word
	Since     time.Time
	Restarts  int    // by the manager
	Account   string // which it runs as
	Binary    string // which it starts
	Unit      string // its definition: a file, or a registry key
	LastExit  string // how it last ended, in the manager's words; empty: well
}

// Machine is what is known of the agent's machine beside what its files tell.
type Machine struct {
	Version    string // of this program
	Executable string // its file
	ConfigFile string
	ConfigSet  bool   // the person named the file: then it must be there
	StateDir   string // the one in force; empty: the configuration's

	// Service asks the service manager; nil: nobody can.
	Service func(context.Context) (Service, error)
	// Running asks the running agent: control.ErrNotRunning and control.ErrNoAccess are answers, too.
	Running func(context.Context) (control.Status, error)
	// MachineID is this machine's, as agents tell it to the relay.
	MachineID string
}

// answerTime is how long the running agent may take to tell how it is.
const answerTime = 5 * time.Second

// machine is a Machine while it is looked at.
type machine struct {
	Machine
	service asked[Service]
	running asked[control.Status]
	config  loadedConfig
	stored  stored
}

// Checks gives the checks of the machine and its configuration.
func (m Machine) Checks() []check.Check {
	x := &machine{Machine: m}
	x.service.ask, x.running.ask = m.Service, m.Running
	checks := []check.Check{
		{Name: "host.service", Title: "Service", Run: x.checkService},
		{Name: "host.start", Title: "Start", Needs: []string{"host.service"}, Run: x.checkStart},
		{Name: "host.account", Title: "Account", Needs: []string{"host.service"}, Run: x.checkAccount},
		{Name: "host.program", Title: "Program", Needs: []string{"host.service"}, Run: x.checkProgram},
		{Name: "host.answers", Title: "Running agent", Run: x.checkAnswers},
		{Name: "config.file", Title: "Configuration", Run: x.checkFile},
		{Name: "config.files", Title: "Files it names", Needs: []string{"config.file"}, Run: x.checkNamedFiles},
		{Name: "config.loaded", Title: "Loaded", Needs: []string{"config.file", "host.answers"}, Run: x.checkLoaded},
		{Name: "host.files", Title: "Files", Needs: []string{"config.file"}, Run: x.checkFiles},
		{Name: "host.disk", Title: "Disk", Needs: []string{"config.file"}, Run: x.checkDisk},
		{Name: "host.database", Title: "Database", Needs: []string{"config.file"}, Run: x.checkDatabase},
		{Name: "host.leftovers", Title: "Leftovers", Needs: []string{"config.file"}, Run: x.checkLeftovers},
		{Name: "config.identity", Title: "Identity", Needs: []string{"host.database"}, Run: x.checkIdentity},
		{Name: "config.certificate", Title: "Certificate", Needs: []string{"config.identity"}, Run: x.checkCertificate},
		{Name: "config.machine", Title: "Machine", Needs: []string{"config.identity"}, Run: x.checkMachine},
		{Name: "config.token", Title: "Token left over", Needs: []string{"config.file"}, Run: x.checkToken},
	}
	for i := range checks {
		checks[i].Hop = fault.HopAgent
	}
	return checks
}

// asked is an answer that several checks, which may run at once, need: whoever comes first asks.
type asked[T any] struct {
	ask    func(context.Context) (T, error)
	once   sync.Once
	answer T
	err    error
}

// get gives the answer, within answerTime. Without one it is the zero value, with the reason.
func (a *asked[T]) get(ctx context.Context) (T, error) {
	a.once.Do(func() {
		if a.ask == nil {
			a.err = errNobody
			return
		}
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		a.answer, a.err = a.ask(ctx)
	})
	return a.answer, a.err
}

// errNobody is the reason where there is nobody to ask.
var errNobody = errors.New("nobody here can ask")

func (m *machine) checkService(ctx context.Context) check.Outcome {
	s, err := m.service.get(ctx)
	if err != nil {
		return check.Skip(err.Error())
	}
	switch {
	case !s.Installed:
		return m.foreground(ctx)
	case !s.Running && s.LastExit != "":
		return check.Fail("HOST-FAILED", s.Phase+": "+s.LastExit).With("exit", s.LastExit)
	case !s.Running:
		return check.Fail("HOST-STOPPED", "the service manager says: "+s.Phase)
	}
	return check.Pass("runs, "+s.Manager+" says "+s.Phase+since(s.Since), "defined by "+s.Unit)
}

// foreground is an agent that somebody runs by hand, and no service.
func (m *machine) foreground(ctx context.Context) check.Outcome {
	if s, err := m.running.get(ctx); err == nil {
		return check.Pass(fmt.Sprintf("not installed: an agent runs in the foreground, process %d", s.PID))
	}
	return check.Warn("HOST-NOT-INSTALLED", "no service gantry-agent")
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.Local().Format(time.DateTime)
}

// manyRestarts is how many show that something is wrong.
const manyRestarts = 3

func (m *machine) checkStart(ctx context.Context) check.Outcome {
	s, _ := m.service.get(ctx) // host.service told why not
	switch {
	case !s.Installed:
		return check.Pass("not needed: there is no service")
	case s.Restarts >= manyRestarts:
		return check.Warn("HOST-RESTARTS", fmt.Sprintf("restarted %d times", s.Restarts), s.LastExit).With("restarts", fmt.Sprint(s.Restarts))
	case !s.Enabled:
		return check.Warn("HOST-NOT-ENABLED", "it is not enabled")
	}
	return check.Pass(fmt.Sprintf("with the machine; restarted %d times", s.Restarts))
}

func (m *machine) checkAccount(ctx context.Context) check.Outcome {
	s, _ := m.service.get(ctx)
	switch account := s.Account; account {
	case "":
		return check.Pass("not needed: there is no service")
	case "root":
		return check.Warn("HOST-ACCOUNT", "it runs as "+account).With("account", account)
	default:
		return check.Pass(account)
	}
}

func (m *machine) checkAnswers(ctx context.Context) check.Outcome {
	s, err := m.running.get(ctx)
	switch {
	case errors.Is(err, errNobody):
		return check.Skip("nobody here can ask the agent")
	case errors.Is(err, control.ErrNotRunning):
		return check.Skip("no agent runs")
	case errors.Is(err, control.ErrNoAccess):
		return check.Skip("only an administrator may ask it")
	case errors.Is(err, context.DeadlineExceeded):
		return check.Fail("HOST-SILENT", "no answer within "+answerTime.String())
	case err != nil:
		return check.Fail("HOST-SILENT", err.Error())
	}
	if s.Version != m.Version {
		return check.Warn("HOST-OLD-PROCESS", fmt.Sprintf("process %d", s.PID)).With("running", s.Version).With("version", m.Version)
	}
	return check.Pass(fmt.Sprintf("process %d answers, version %s, %s", s.PID, s.Version, s.State))
}

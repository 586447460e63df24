package installer

import (
	"context"
	"errors"
	"time"
)

// Service is the agent as the operating system's service manager knows it. NewService makes that of this platform.
// Every method but State needs an administrator.
type Service interface {
	// Install defines the service, or mends its definition, and has it start with the machine. It does not start it.
	Install(ctx context.Context) error
	// Uninstall stops the service and takes its definition away, whatever is left of it. That there is none is no error.
	Uninstall(ctx context.Context) error
	// Start starts the service; that it runs already is no error. ErrNotInstalled: there is none.
	Start(ctx context.Context) error
	// Stop stops it after the calls under way; that it does not run is no error. ErrNotInstalled: there is none.
	Stop(ctx context.Context) error
	// Restart is a stop and a start. ErrNotInstalled: there is none.
	Restart(ctx context.Context) error
	// State says how it is. A machine without the service has a State too.
	State(ctx context.Context) (State, error)
}

// ErrNotInstalled is the answer where there is no service.
var ErrNotInstalled = errors.New("the service is not installed")

// ErrNoManager is the answer on a machine without a service manager that this package knows.
var ErrNoManager = errors.New("this machine has no service manager that is known here")

// ErrElevation is the answer when an administrator is needed.
var ErrElevation = errors.New("this needs an administrator")

// State is a service for people to read.
type State struct {
	Manager   string    `json:"manager"` // systemd or windows
	Installed bool      `json:"installed"`
	Packaged  bool      `json:"packaged"` // its definition belongs to a deb, rpm or MSI, which must not be shadowed
	Enabled   bool      `json:"enabled"`  // it starts with the machine
	Running   bool      `json:"running"`
	Phase     string    `json:"phase,omitempty"` // the manager's own word: active, activating, failed, START_PENDING
	Since     time.Time `json:"since,omitzero"`  // of the phase
	PID       int       `json:"pid,omitempty"`
	Restarts  int       `json:"restarts"`            // by the manager, since it was started
	Account   string    `json:"account,omitempty"`   // which it runs as
	Binary    string    `json:"binary,omitempty"`    // which it starts
	Unit      string    `json:"unit,omitempty"`      // its definition: a unit's file, a registry key
	LastExit  string    `json:"last_exit,omitempty"` // how it last ended, in the manager's words; empty: well, or not yet
	Sentence  string    `json:"sentence,omitempty"`  // what it says of itself
}

// Spec says which service is meant.
type Spec struct {
	Name        string // as the manager knows it
	Title       string // Gantry agent
	Description string // one sentence, where the manager shows one
	Arguments   []string
	Layout      Layout
}

// AgentSpec is the agent's service.
func AgentSpec() Spec {
	return Spec{
		Name: agentName, Title: "Gantry agent", Arguments: []string{"service"}, Layout: AgentLayout(),
		Description: "Connects the systems of this plant to one relay; dials out only",
	}
}

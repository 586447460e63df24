package installer

import (
	"cmp"
	"path/filepath"
)

// Layout is what lies where on this platform, and who may read it. AgentLayout gives the agent's. An empty place is one
// that the platform does not have.
type Layout struct {
	Account string // which the service runs as
	Binary  string // a copy of the program
	Config  string // agent.yaml
	State   string // folder: database, keys, certificate
	Logs    string // folder
	Runtime string // folder that ends with the service: sockets
	Unit    string // the service's definition where it is a file
}

// Channels is the folder that names the service's channel for everybody on the host.
func (l Layout) Channels() string { return cmp.Or(l.Runtime, l.State) }

// CAFile is where the copy of more certificate authorities lies.
func (l Layout) CAFile() string { return filepath.Join(filepath.Dir(l.Config), "ca.pem") }

// Access is who may do what with a place. Administrators may do everything.
type Access int

// The kinds of access.
const (
	Public      Access = iota // administrators write, everybody reads
	ServiceRead               // administrators write, the service and nobody else reads
	ServiceOwn                // the service reads and writes, nobody else does
)

// Kind is what lies in a place.
type Kind int

// The kinds of places.
const (
	Folder Kind = iota
	File
	Program
)

// Place is a folder or a file of an installation.
type Place struct {
	Path   string
	Kind   Kind
	Access Access
}

package files

import (
	"context"

	"gantry/connectors"
)

// Driver speaks to systems that drop and pick up files.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "files" }

// The dialects.
const (
	dialectLocal = "local"
	dialectSFTP  = "sftp"
	dialectSMB   = "smb"
)

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	return connectors.Specification{
		Speaks: "CSV, fixed width and XML in files, those that a system drops and those that it picks up",
		Dialects: []connectors.Claim{
			{Name: dialectLocal, Means: "a folder of the agent's machine", On: "Linux"},
			{Name: dialectSFTP, Means: "with a pinned host key", On: "OpenSSH"},
			{Name: dialectSMB, Means: "SMB 2 and 3, without the operating system", On: "Samba"},
		},
		Logins: []connectors.Claim{
			{Name: "password", Means: "of SFTP and SMB", On: "OpenSSH, Samba"}, {Name: "private key", Means: "of SFTP", On: "OpenSSH"},
		},
		Pages:  []connectors.Claim{{Name: "file and line", Means: "in the order of the file; another order is made in passes of bounded memory", On: "OpenSSH, Samba"}},
		Kits:   []string{"base/files-local", "base/files-sftp", "base/files-smb"},
		Limits: "No Windows file server was at hand. FTP and FTPS are not spoken.",
	}
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := connectors.CheckDialect(Driver{}, dialect); err != nil {
		return nil, err
	}
	s, err := compile(native)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open implements connectors.Driver. It logs in when the first call needs it.
func (Driver) Open(_ context.Context, t connectors.Target) (connectors.Conn, error) {
	if err := connectors.CheckDialect(Driver{}, t.Dialect); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c, err := open(t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

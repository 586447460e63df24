package files

import (
	"context"
	"fmt"

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

func checkDialect(dialect string) error {
	switch dialect {
	case dialectLocal, dialectSFTP, dialectSMB:
		return nil
	}
	return fmt.Errorf("dialect: the files driver has the dialects local, sftp and smb, not %q", dialect)
}

// Compile implements connectors.Driver: see the package's comment for the members of a step.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := checkDialect(dialect); err != nil {
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
	if err := checkDialect(t.Dialect); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c, err := open(t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

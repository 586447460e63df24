package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"gantry/agent/state"
	"gantry/agent/vault"
	"gantry/configs"
	"gantry/tunnel/check"
	"gantry/tunnel/pki"
)

// stored is what the database says.
type stored struct {
	state.Inspected
}

func stamp(t time.Time) string { return t.Local().Format(time.DateTime) }

// checkDatabase opens the database as it is, and has SQLite check it.
func (m *machine) checkDatabase(ctx context.Context) check.Outcome {
	folder := m.config.StateDir
	found, err := state.Inspect(ctx, folder)
	o := check.Outcome{}
	switch {
	case err == nil:
		m.stored.Inspected = found
		return check.Pass("opens, and passes its quick check")
	case errors.Is(err, fs.ErrNotExist):
		return check.Pass("none yet in " + folder)
	case errors.Is(err, fs.ErrPermission):
		return check.Skip("only an administrator may read it")
	case errors.Is(err, state.ErrCorrupt):
		o = check.Fail("HOST-DATABASE", err.Error())
	case errors.Is(err, state.ErrNewer):
		o = check.Fail("HOST-DATABASE-NEWER", err.Error())
	case errors.Is(err, state.ErrForeign):
		o = check.Fail("HOST-DATABASE-FOREIGN", err.Error())
	default:
		o = check.Fail("HOST-DATABASE-CLOSED", err.Error())
	}
	return o.With("folder", folder)
}

// checkIdentity is about who the agent is, and whether its keys can be opened.
func (m *machine) checkIdentity(ctx context.Context) check.Outcome {
	id := m.stored.Identity
	if id.Agent == "" {
		return check.Warn("CFG-NOT-ENROLLED", "no identity in "+m.config.StateDir)
	}
	running, _ := m.running.get(ctx)
	key, err := vault.Peek(m.config.StateDir)
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() > 0:
		return check.Skip("only an administrator may read the vault key")
	case errors.Is(err, fs.ErrNotExist) && running.Identity != nil:
		// The service manager gave it to the agent alone, which runs with it.
	case err != nil:
		return check.Fail("CFG-VAULT", err.Error()).With("folder", m.config.StateDir)
	case key != id.Vault:
		return check.Fail("CFG-VAULT", "the vault key is "+key+", the state was written with "+id.Vault).With("folder", m.config.StateDir)
	}
	return check.Pass(fmt.Sprintf("%s of site %s", id.Agent, id.Site), "relay "+id.Relay, "enrolled "+stamp(id.EnrolledAt))
}

// checkCertificate is about the days that are left.
func (m *machine) checkCertificate(context.Context) check.Outcome {
	if m.stored.Identity.Agent == "" {
		return check.Skip("this agent is not enrolled")
	}
	leaf, err := x509.ParseCertificate(m.stored.Identity.Certificate)
	if err != nil {
		return check.Fail("CFG-VAULT", "the stored certificate cannot be read").With("folder", m.config.StateDir)
	}
	now, life := time.Now(), leaf.NotAfter.Sub(leaf.NotBefore)
	renewal := leaf.NotBefore.Add(time.Duration(configs.RenewAt * float64(life)))
	left := fmt.Sprintf("ends %s, in %d days", leaf.NotAfter.Local().Format(time.DateOnly), int(leaf.NotAfter.Sub(now).Hours()/24))
	ends := leaf.NotAfter.Local().Format(time.DateOnly)
	switch {
	case now.After(leaf.NotAfter.Add(pki.Grace)):
		return check.Fail("CFG-CERTIFICATE-DEAD", "ended "+ends).With("ends", ends)
	case now.After(leaf.NotAfter):
		return check.Warn("CFG-CERTIFICATE-ENDED", "ended "+ends).With("ends", ends)
	case now.After(renewal.Add(life / 10)):
		return check.Warn("CFG-CERTIFICATE-LATE", left).With("ends", ends)
	}
	return check.Pass(left, "renewed by itself from "+renewal.Local().Format(time.DateOnly))
}

// checkMachine tells a clone.
func (m *machine) checkMachine(context.Context) check.Outcome {
	made := m.stored.Machine
	switch {
	case m.stored.Identity.Agent == "":
		return check.Skip("this agent is not enrolled")
	case made == "":
		return check.Pass("not noted yet: the agent has not run since")
	case made != m.MachineID:
		return check.Warn("CFG-CLONED", "enrolled on the machine "+made, "this is "+m.MachineID)
	}
	return check.Pass("the one that was enrolled")
}

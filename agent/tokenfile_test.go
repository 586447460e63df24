package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gantry/agent/control"
	"gantry/tunnel/enrol"
)

// TestATokenFileIsTakenUp leaves a token for a service, before its start and during it; the first is refused.
func TestATokenFileIsTakenUp(t *testing.T) {
	r, former, c, o := newRelay(t), newRelay(t), config(t), quiet()
	o.AwaitEnrolment = true
	gone := func() bool { _, err := os.Stat(filepath.Join(c.StateDir, TokenFile)); return os.IsNotExist(err) }
	used := former.token()
	_, err := Enrol(t.Context(), config(t), used, Enrolment{Options: quiet()})
	fatal(t, err)
	fatal(t, WriteTokenFile(c.StateDir, used))
	if err := WriteTokenFile(c.StateDir, used[:20]); !errors.Is(err, enrol.ErrCut) {
		t.Errorf("half a token: %v", err)
	}

	a, err := New(c, o)
	fatal(t, err)
	stop := start(t, a)
	eventually(t, "the used token is gone", gone)
	client := control.NewClient(c.StateDir)
	s, err := client.Status(t.Context())
	if err != nil || s.State != control.NotEnrolled || s.EnrolmentProblem == "" {
		t.Errorf("got %s, %q, %v", s.State, s.EnrolmentProblem, err)
	}

	fatal(t, WriteTokenFile(c.StateDir, r.token()))
	awaitState(t, client, control.Connected)
	eventually(t, "the good token is gone", gone)
	fatal(t, stop())
}

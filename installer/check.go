package installer

import (
	"context"
	"fmt"
)

// Conflict is a machine on which something else is in the way.
type Conflict struct{ What, Fix string }

// Error implements error.
func (c *Conflict) Error() string { return c.What }

// minimumDisk is what an installation and its state need at least, in bytes.
const minimumDisk = 256 << 20

// Check looks at the machine before anything is changed. The error is ErrElevation, ErrNoManager or *Conflict.
func (i Installation) Check(ctx context.Context) error {
	state, err := i.Service.State(ctx)
	if err != nil {
		return err
	}
	if err := i.Elevated(); err != nil {
		return err
	}
	if err := i.managed(state); err != nil {
		return err
	}
	free, err := freeDisk(i.Spec.Layout.State)
	if err != nil {
		return err
	}
	if free < minimumDisk {
		return &Conflict{fmt.Sprintf("%d MiB are free for %s, %d are needed", free>>20, i.Spec.Layout.State, minimumDisk>>20), "Make room on that disk."}
	}
	return nil
}

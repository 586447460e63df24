package relay

import "gantry/relay/jobs"

// tasks is all that the relay does in the background.
func (r *Relay) tasks() []jobs.Task { return nil }

// sweeps find what is due and has no job.
func (r *Relay) sweeps() []jobs.Sweep { return nil }

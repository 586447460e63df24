package relay

import (
	"fmt"
	"net/netip"
	"slices"

	"gantry/configs"
	"gantry/relay/jobs"
	"gantry/relay/webhooks"
)

// tasks is all that the relay does in the background.
func (r *Relay) tasks() []jobs.Task {
	return slices.Concat(r.webhooks.Tasks(), r.syncs.Tasks(r.jobs), r.outbox.Tasks())
}

// sweeps find what is due and has no job.
func (r *Relay) sweeps() []jobs.Sweep {
	return slices.Concat(r.webhooks.Sweeps(), r.syncs.Sweeps(), r.outbox.Sweeps())
}

// webhookGuard makes what the configuration says of where webhooks may lead.
func webhookGuard(config configs.RelayWebhooks) (webhooks.Guard, error) {
	guard := webhooks.Guard{HTTP: config.AllowHTTP}
	for _, text := range config.AllowPrivate {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return guard, fmt.Errorf("webhooks.allow_private: %w", err)
		}
		guard.Private = append(guard.Private, network)
	}
	return guard, nil
}

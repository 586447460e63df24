package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gantry/agent/control"
	"gantry/agent/links"
)

var errBetween = errors.New("the agent starts, or stops")

// Sentence is the agent's state in one line, for the service manager to show. It goes through the loop that keeps the
// sessions: an agent that gives one is alive. One that starts or stops gives none yet.
func (a *Agent) Sentence(ctx context.Context) (string, error) {
	r := a.running.Load()
	var text string
	switch {
	case r != nil:
		all, err := r.links.Ask(ctx)
		if err != nil {
			return "", err
		}
		text = sentence(r.identity.Relay, overall(all, r.draining.Load()), all)
	case a.awaits.Load():
		text = "Not enrolled; waits for: gantry-agent enroll --token-file FILE"
	default:
		return "", errBetween
	}
	if problem := a.loaded.Load().problem; problem != "" {
		first, _, _ := strings.Cut(problem, "\n")
		text += ". The configuration is faulty: " + first
	}
	return text, nil
}

func sentence(relay string, is control.State, all []links.Status) string {
	up := 0
	for _, s := range all {
		if s.State == links.Connected {
			up++
		}
	}
	switch is {
	case control.Connected:
		return fmt.Sprintf("Connected to %s, %d of %d sessions", relay, up, len(all))
	case control.Degraded:
		return fmt.Sprintf("Connected to %s, %d of %d sessions; %s", relay, up, len(all), reason(all))
	case control.Refused:
		return fmt.Sprintf("Refused by %s: %s", relay, reason(all))
	case control.Draining:
		return "Stops when the calls under way have ended"
	}
	return fmt.Sprintf("No session to %s yet: %s", relay, reason(all))
}

// reason is why a session is not up: the refusal, if there is one.
func reason(all []links.Status) string {
	i := slices.IndexFunc(all, func(s links.Status) bool { return s.Refusal != nil })
	if i >= 0 {
		return all[i].Refusal.Message
	}
	for _, s := range all {
		if s.State != links.Connected && s.LastError != "" {
			return s.LastError
		}
	}
	return "the first try is under way"
}

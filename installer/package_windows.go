package installer

import (
	"context"
	"fmt"
	"path/filepath"
)

// Completion gives the steps that the MSI leaves to the program, after it has defined the service and before it starts it:
// the folders with their access, agent.yaml, and of the service what the MSI's tables cannot say.
func (i Installation) Completion() Plan {
	var plan Plan
	for _, place := range i.Spec.Layout.Folders() {
		if place.Path != filepath.Dir(i.Spec.Layout.Binary) { // that is the MSI's
			plan = append(plan, i.folder(place))
		}
	}
	return append(append(plan, i.authorities()...), i.config(), i.mend(), i.tidy())
}

func (i Installation) mend() Step {
	return Step{Name: "service", Line: "have the service recover, and start after the machine's own", Do: func(context.Context) (Undo, error) {
		s, ok := i.Service.(*scm)
		if !ok {
			return nil, fmt.Errorf("mend the service: %w", ErrNoManager)
		}
		return Kept, s.mend()
	}}
}

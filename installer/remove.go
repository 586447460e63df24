package installer

import (
	"context"
	"os"
	"path/filepath"
	"slices"
)

// Removal gives the steps of an uninstallation, for Plan.Clear: each finds out itself what is left for it. purge takes
// the configuration, the state and the logs as well, and the account.
func (i Installation) Removal(purge bool) Plan {
	l := i.Spec.Layout
	plan := Plan{
		{Name: "service", Line: "stop the service and remove its definition", Do: i.undefine},
		away("binary", l.Binary), away("binary", previous(l.Binary)), away("config", previous(l.Config)),
		away("config", previous(l.CAFile())),
	}
	for _, place := range l.Folders() {
		if place.Path == filepath.Dir(l.Binary) { // one of the program's own
			plan = append(plan, emptied(place.Path))
		}
	}
	if l.Runtime != "" {
		plan = append(plan, away("folder", l.Runtime))
	}
	if !purge {
		return plan
	}
	return append(append(plan, i.Erasure()...), i.withoutAccount()...)
}

// Erasure gives the steps that remove what the service was told and what it keeps: the configuration with the folder that it
// lies in, where a proxy's password may lie as well.
func (i Installation) Erasure() Plan {
	l := i.Spec.Layout
	plan := append(i.withoutVault(), away("state", l.State), away("logs", l.Logs), away("config", filepath.Dir(l.Config)))
	if l.Unit != "" {
		plan = append(plan, away("unit", l.Unit+".d"))
	}
	for _, place := range slices.Backward(l.Folders()) {
		plan = append(plan, emptied(place.Path))
	}
	return plan
}

// undefine asks the service manager also where it knows of no service: half of one may be left.
func (i Installation) undefine(ctx context.Context) (Undo, error) {
	state, err := i.Service.State(ctx)
	if err != nil {
		return nil, err
	}
	if err := i.Service.Uninstall(ctx); err != nil || !state.Installed {
		return nil, err
	}
	return Kept, nil
}

func away(name, path string) Step {
	return Step{Name: name, Line: "remove " + path, Do: func(context.Context) (Undo, error) { return remove(path) }}
}

// emptied removes a folder that holds nothing of others'.
func emptied(path string) Step {
	return Step{Name: "folder", Line: "remove " + path + " if it is empty", Do: func(context.Context) (Undo, error) {
		entries, err := os.ReadDir(path)
		if err != nil || len(entries) > 0 {
			return nil, nil //nolint:nilerr // not there, or not ours alone
		}
		return Kept, os.Remove(path)
	}}
}

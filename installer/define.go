package installer

import "context"

// define makes the service known to the service manager.
func (i Installation) define() Step {
	return Step{Name: "service", Line: "define the service, to start with the machine", Do: func(ctx context.Context) (Undo, error) {
		state, err := i.Service.State(ctx)
		if err != nil {
			return nil, err
		}
		if state.Installed {
			return Kept, i.Service.Install(ctx)
		}
		return i.Service.Uninstall, i.Service.Install(ctx)
	}}
}

package installer

import "context"

// Installation says what to install.
type Installation struct {
	Spec     Spec
	Service  Service
	Enroller Enroller
	Source   string // the program to copy
	Enrol    bool   // the installation is only whole when the relay sees the agent

	// Authorities is PEM that is copied beside agent.yaml; nil: none.
	Authorities []byte
	// Configure gives agent.yaml as it should be; nil is one that is not there. What somebody wrote in it stays.
	Configure func(current []byte) ([]byte, error)
}

// Plan gives the steps, in order. Where a package has brought the program and the unit, they stay the package's.
func (i Installation) Plan(packaged bool) Plan {
	var plan Plan
	if !packaged {
		plan = i.account()
		for _, place := range i.Spec.Layout.Folders() {
			plan = append(plan, i.folder(place))
		}
		plan = append(plan, i.binary())
		plan = append(plan, i.vault()...)
	}
	plan = append(append(plan, i.authorities()...), i.config())
	if !packaged {
		plan = append(plan, i.define())
	}
	plan = append(plan, i.start())
	if i.Enrol {
		plan = append(plan, i.enrol(), i.connected())
	}
	return append(plan, i.tidy())
}

func (i Installation) start() Step {
	return Step{Name: "start", Line: "start the service", Do: func(ctx context.Context) (Undo, error) {
		state, err := i.Service.State(ctx)
		if err != nil {
			return nil, err
		}
		if state.Running {
			return Kept, i.Service.Restart(ctx) // a repair: what was mended takes effect
		}
		return i.Service.Stop, i.Service.Start(ctx)
	}}
}

func (i Installation) enrol() Step {
	return Step{Name: "enrol", Line: "make the agent known to the relay", Do: func(ctx context.Context) (Undo, error) {
		if id, err := i.Enroller.Enrolled(ctx); err != nil || id != "" {
			return nil, err
		}
		if err := i.Enroller.Enrol(ctx); err != nil {
			return nil, err
		}
		return i.Enroller.Unenrol, nil
	}}
}

func (i Installation) connected() Step {
	return Step{Name: "connect", Line: "wait until the relay sees the agent", Do: func(ctx context.Context) (Undo, error) {
		return Kept, i.Enroller.Connected(ctx)
	}}
}

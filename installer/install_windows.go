package installer

// NewService gives the service of this machine's manager.
func NewService(Spec) (Service, error) { return nil, ErrNoManager }

// account gives the steps that make the service's account.
func (i Installation) account() Plan { return nil }

// withoutAccount gives the steps that remove it.
func (i Installation) withoutAccount() Plan { return nil }

// secure gives a place its owner and its access.
func (i Installation) secure(Place) (Undo, error) { return nil, nil }

// relabel restores a file's security label, where the platform has one.
func relabel(string) error { return nil }

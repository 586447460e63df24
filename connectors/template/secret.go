package template

import (
	"errors"

	"gantry/connectors"
)

// Credentials are a login's secrets: what Rendering.Driver is for a template of Secrets.
type Credentials map[string]connectors.Secret

// Secrets is the form {$secret: name}: a credential, in a login's own request alone.
var Secrets = map[string]Form{"$secret": compileSecret}

type secret struct{ name string }

func compileSecret(_ *Compiler, v map[string]any) (Value, error) {
	name, _ := v["$secret"].(string)
	if name == "" || len(v) != 1 {
		return nil, errors.New("$secret names a writeOnly member of the login, and has nothing beside it")
	}
	return secret{name}, nil
}

// Render implements Value.
func (s secret) Render(r *Rendering) (any, error) {
	all, _ := r.Driver.(Credentials)
	credential, known := all[s.name]
	if !known {
		return nil, connectors.Misuse("the login has no credential %q", s.name)
	}
	return credential.Reveal(), nil
}

package calls

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"gantry/agent/bundle/proof"
	"gantry/agent/state"
	"gantry/agent/vault"
	"gantry/tunnel/fault"
)

// Credentials opens the login of a stored connection.
func Credentials(v *vault.Vault, row state.Connection) ([]byte, error) {
	return v.Decrypt(row.Credentials, purpose(row.ID))
}

// Secrets are the members of a stored connection's credentials, each by itself.
func Secrets(v *vault.Vault, row state.Connection) ([]proof.Secret, error) {
	credentials, err := Credentials(v, row)
	if err != nil {
		return nil, fmt.Errorf("open the login of connection %s: %w", row.ID, err)
	}
	var members any
	decoder := json.NewDecoder(bytes.NewReader(credentials))
	decoder.UseNumber() // as it is written
	if err := decoder.Decode(&members); err != nil {
		members = string(credentials)
	}
	return leaves("the login of connection "+row.ID, members), nil
}

// leaves are the texts and numbers in a JSON value.
func leaves(name string, value any) []proof.Secret {
	switch v := value.(type) {
	case map[string]any:
		var all []proof.Secret
		for key, member := range v {
			all = append(all, leaves(name+" ("+key+")", member)...)
		}
		return all
	case []any:
		var all []proof.Secret
		for _, member := range v {
			all = append(all, leaves(name, member)...)
		}
		return all
	case string:
		all := []proof.Secret{{Name: name, Value: []byte(v)}}
		if block, _ := pem.Decode([]byte(v)); block != nil {
			all = append(all, proof.Secret{Name: name, Value: block.Bytes})
		}
		return all
	case json.Number:
		return []proof.Secret{{Name: name, Value: []byte(v)}}
	}
	return nil
}

func unreadable(err error) error {
	return fault.New(fault.CredentialsExpired, "The agent cannot read the login that it keeps.").At(fault.HopAgent).Because(err).Ended(fault.NotSent).
		Advise("The agent's vault key was lost or replaced: relink the connection.")
}

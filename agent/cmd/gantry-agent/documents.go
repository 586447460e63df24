package main

import (
	"gantry/agent/control"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
	"gantry/installer"
)

// The --json documents that no command's file names. documents_test.go lists all of them by their commands, and
// docs/schemas publishes them: members are only ever added.

// reloadedDocument is the --json form of `reload`.
type reloadedDocument struct {
	Schema int `json:"schema"`
	control.Reloaded
}

// serviceDocument is the --json form of `start`, `stop` and `restart`.
type serviceDocument struct {
	Schema  int             `json:"schema"`
	Service installer.State `json:"service"`
}

// planDocument is the --json form of `install --dry-run`.
type planDocument struct {
	Schema int        `json:"schema"`
	Plan   []stepLine `json:"plan"`
}

// uninstalledDocument is the --json form of `uninstall`.
type uninstalledDocument struct {
	Schema      int        `json:"schema"`
	Uninstalled bool       `json:"uninstalled"`
	Purged      bool       `json:"purged"`
	Steps       []stepLine `json:"steps"`
}

// unenrolledDocument is the --json form of `unenroll`.
type unenrolledDocument struct {
	Schema     int    `json:"schema"`
	Agent      string `json:"agent"`
	Unenrolled bool   `json:"unenrolled"`
}

// policyDocument is the --json form of `policy show`: the policy as the configuration writes it.
type policyDocument struct {
	Schema int            `json:"schema"`
	File   string         `json:"file"`
	Policy map[string]any `json:"policy"`
}

// configDocument is the --json form of `config show`: the values that hold, as the configuration writes them.
type configDocument struct {
	Schema int            `json:"schema"`
	File   string         `json:"file"`
	Config map[string]any `json:"config"`
}

// pathDocument is the --json form of `config path`.
type pathDocument struct {
	Schema int    `json:"schema"`
	File   string `json:"file"`
	Exists bool   `json:"exists"`
}

// systemsDocument is the --json form of `connectors list`.
type systemsDocument struct {
	Schema  int                 `json:"schema"`
	Systems []wire.System       `json:"systems"`
	Faulty  []definition.Faulty `json:"faulty,omitempty"`
}

// systemDocument is the --json form of `connectors show`.
type systemDocument struct {
	Schema int `json:"schema"`
	wire.System
}

// lintDocument is the --json form of `connectors lint`.
type lintDocument struct {
	Schema   int                 `json:"schema"`
	Problems definition.Problems `json:"problems"`
}

// settledDocument is the --json form of `writes settle`.
type settledDocument struct {
	Schema   int           `json:"schema"`
	Happened bool          `json:"happened"`
	Write    control.Write `json:"write"`
}

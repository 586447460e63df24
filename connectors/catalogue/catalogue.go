// Package catalogue holds the definitions that Gantry ships: base layers (base/) and the systems built on them
// (systems/). It holds files and no code; package definition reads them.
package catalogue

import "embed"

// FS holds base/*.yaml and systems/*.yaml.
//
//go:embed base systems
var FS embed.FS

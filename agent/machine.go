package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"runtime"

	"gantry/connectors/seal"
	"gantry/connectors/wire"
)

// machineID tells this machine from another that holds a copy of the agent's state. It is a digest of the system's
// own id, so that the id itself stays at the site; where there is none the host's name has to do.
func (o Options) machineID() string {
	if o.MachineID != "" {
		return o.MachineID
	}
	id := systemID()
	if id == "" {
		id, _ = os.Hostname()
	}
	sum := sha256.Sum256([]byte("gantry machine\x00" + id))
	return hex.EncodeToString(sum[:16])
}

// facts are what the agent tells of itself.
func (o Options) facts(key seal.PublicKey) wire.Facts {
	hostname, _ := os.Hostname() // empty where the system has none: it is only shown
	return wire.Facts{
		Version: o.Version, Hostname: hostname, OS: runtime.GOOS, Arch: runtime.GOARCH,
		SealingKey: wire.SealingKey{ID: key.ID(), PublicKey: key.String(), Fingerprint: key.Fingerprint()},
	}
}

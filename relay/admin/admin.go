// Package admin lets whoever owns the relay's data folder found organisations and give out keys.
//
// While the relay serves, it holds the folder, so the command line asks it: HTTP with JSON over a unix socket in the folder,
// which only the relay's account can open (Serve, Client). No network port, no password. The same socket serves the API for
// an organisation that the owner names, without a key. So a key that is revoked here is
// dead in the running relay at once. While no relay serves, the command line opens the store itself and does the same
// with it (Direct). Both are an Administration, and what they give is the command line's --json: members are only ever
// added.
package admin

import (
	"context"
	"path/filepath"
	"time"

	"gantry/relay/store"
)

// Administration is what can be done without a key. Errors are *fault.Error: INVALID_REQUEST and NOT_FOUND among them.
type Administration interface {
	Organisations(ctx context.Context) ([]Organisation, error)
	// CreateOrganisation founds an organisation with a pool of connection credits.
	CreateOrganisation(ctx context.Context, wish NewOrganisation) (Organisation, error)
	// SetCredits makes an organisation's pool larger or smaller. A pool that is smaller than what is used ends nothing.
	SetCredits(ctx context.Context, organisation string, credits int) (Organisation, error)
	Keys(ctx context.Context, organisation string) ([]Key, error)
	// CreateKey makes a key. Its token is in the answer and nowhere else.
	CreateKey(ctx context.Context, organisation string, wish NewKey) (Key, error)
	RevokeKey(ctx context.Context, organisation, id string) (Key, error)
}

// NewOrganisation is an organisation that is to be founded.
type NewOrganisation struct {
	Name    string `json:"name"`
	Credits int    `json:"credits"`
}

// Organisation is the owner of sites, connections and keys.
type Organisation struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Credits   Credits   `json:"credits"`
	CreatedAt time.Time `json:"created_at"`
}

// Credits is an organisation's pool.
type Credits struct {
	Total     int `json:"total"`
	Used      int `json:"used"`
	Available int `json:"available"`
}

// NewKey is an organisation key that is to be made.
type NewKey struct {
	Name      string     `json:"name"`
	Role      store.Role `json:"role"`
	ExpiresAt time.Time  `json:"expires_at,omitzero"`
}

// Key is an organisation key. Token is set only by CreateKey.
type Key struct {
	ID           string     `json:"id"`
	Organisation string     `json:"organisation_id"`
	Name         string     `json:"name"`
	Role         store.Role `json:"role"`
	Token        string     `json:"token,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    time.Time  `json:"expires_at,omitzero"`
	RevokedAt    time.Time  `json:"revoked_at,omitzero"`
}

// Status is a relay that serves, on one screen.
type Status struct {
	Version       string    `json:"version"`
	PID           int       `json:"pid"`
	StartedAt     time.Time `json:"started_at"`
	URL           string    `json:"url"` // what agents and clients call
	Listen        string    `json:"listen"`
	Metrics       string    `json:"metrics,omitempty"`
	DataDir       string    `json:"data_dir"`
	Agents        int       `json:"agents"` // connected
	Sessions      int       `json:"sessions"`
	Organisations int       `json:"organisations"`
	DatabaseBytes int64     `json:"database_bytes"`
	DiskFreeBytes int64     `json:"disk_free_bytes,omitempty"` // 0: the system does not tell
	Problems      []string  `json:"problems"`
}

// HeaderOrganisation names the organisation for which the relay's owner calls the API.
const HeaderOrganisation = "Gantry-Organisation"

// SocketName is the socket's name in the data folder.
const SocketName = "admin.sock"

func socket(dataDir string) string { return filepath.Join(dataDir, SocketName) }

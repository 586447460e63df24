package admin

import (
	"slices"
	"time"

	"gantry/relay/store"
)

// maxLinkLife bounds how long a sign-in link may wait for whoever follows it.
const maxLinkLife = 24 * time.Hour

// NewSignInLink is a link to the pages of an organisation that is to be made.
type NewSignInLink struct {
	Role store.Role    `json:"role"`
	Life time.Duration `json:"life"`
}

// Check tells what is wrong with a wish: the error is a *fault.Error.
func (n NewSignInLink) Check() error {
	switch {
	case !slices.Contains(store.Roles(), n.Role):
		return invalid("role", "should be admin, support or read")
	case n.Life <= 0 || n.Life > maxLinkLife:
		return invalid("life", "should be at most %s", maxLinkLife)
	}
	return nil
}

// SignInLink signs in whoever follows it first.
type SignInLink struct {
	Link      string     `json:"link"`
	Role      store.Role `json:"role"`
	ExpiresAt time.Time  `json:"expires_at"`
}

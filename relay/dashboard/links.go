package dashboard

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// codePrefix is how the code of a sign-in link begins.
const codePrefix auth.Kind = "gsc_"

// maxLinks bounds the links that are open at a time.
const maxLinks = 100

// Visitor is whom a sign-in link lets in.
type Visitor struct {
	Organisation string
	Role         store.Role
}

// NewKey makes a key of the visitor's, with a token that ends by itself.
type NewKey func(ctx context.Context, v Visitor, ends time.Time) (token string, err error)

// links are sign-in links that were given out and not followed yet. They live in memory, each for one sign-in, and only
// their codes' hashes are kept: a restart ends them. A key is made when a link is followed, so a link that nobody follows
// leaves nothing behind.
type links struct {
	key NewKey
	now func() time.Time

	mu   sync.Mutex
	open map[store.Hash]openLink
}

type openLink struct {
	visitor Visitor
	ends    time.Time
}

// issue makes a link's code.
func (l *links) issue(v Visitor, ends time.Time) (code string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for hash, other := range l.open {
		if !l.now().Before(other.ends) {
			delete(l.open, hash)
		}
	}
	if len(l.open) >= maxLinks {
		return "", fault.New(fault.Overloaded, "%d sign-in links are open.", maxLinks).Advise("Follow one of them, or wait until they end.")
	}
	code, hash := auth.NewToken(codePrefix)
	l.open[hash] = openLink{v, ends}
	return code, nil
}

// redeem gives a key's token for a code, once.
func (l *links) redeem(ctx context.Context, code string) (token string, err error) {
	hash := store.Hash(sha256.Sum256([]byte(code)))
	l.mu.Lock()
	link, known := l.open[hash]
	delete(l.open, hash)
	l.mu.Unlock()
	if !known || !l.now().Before(link.ends) {
		return "", fault.New(fault.AuthenticationFailed, "The sign-in link was followed before, or it is too old. "+
			"Whoever runs the relay makes a new one: gantry-relay dashboard link")
	}
	return l.key(ctx, link.visitor, l.now().Add(sessionLife))
}

// Link makes an address that signs in whoever follows it first, until it ends. Its code stands behind the #, which browsers
// send to nobody: neither a log nor a proxy on the way sees it, and programs that look at links do not use it up.
func (d *Dashboard) Link(v Visitor, ends time.Time) (address string, err error) {
	code, err := d.links.issue(v, ends)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(d.URL, "/") + "/sign-in#" + code, nil
}

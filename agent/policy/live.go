package policy

import (
	"sync/atomic"

	"gantry/configs"
)

// Live is the policy in force. Its zero value denies everything. It is safe for concurrent use; a call that asks
// Current once sees one policy throughout.
type Live struct{ current atomic.Pointer[Policy] }

// Current gives the policy in force, never nil.
func (l *Live) Current() *Policy {
	if p := l.current.Load(); p != nil {
		return p
	}
	return &Policy{}
}

// Replace puts a new policy in force. When it does not compile, the one before stays.
func (l *Live) Replace(config configs.Policy, own Own) error {
	p, err := New(config, own)
	if err != nil {
		return err
	}
	l.current.Store(p)
	return nil
}

package installer

import "context"

// Enroller is what an installation needs of the agent itself. The command line implements it with the running
// service's control channel: only the service has the account, the keys and the proxies that count.
type Enroller interface {
	// Enrolled says who the agent is; empty: it is not enrolled.
	Enrolled(ctx context.Context) (string, error)
	// Enrol makes the agent known to the relay, with the token that the person gave.
	Enrol(ctx context.Context) error
	// Unenrol takes back what Enrol did.
	Unenrol(ctx context.Context) error
	// Connected returns when the relay sees the agent. The error says why it does not, until ctx ended.
	Connected(ctx context.Context) error
}

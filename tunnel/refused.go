package tunnel

import "fmt"

// Why a relay refuses a session.
const (
	CodeRevoked            = "revoked"             // the agent was removed; for good
	CodeUnknownAgent       = "unknown_agent"       // the relay has no such agent
	CodeWrongCertificate   = "wrong_certificate"   // not an agent's, or not the one that the agent has now
	CodeExpiredCertificate = "expired_certificate" // ended more than a year ago
	CodeWrongCA            = "wrong_ca"            // of another relay
	CodeIdentityInUse      = "identity_in_use"     // the same identity is connected from another machine
	CodeOverloaded         = "overloaded"          // too many newcomers: come back later
	CodeDraining           = "draining"            // the relay is stopping: come back, or go to another node
)

// Refused is a relay's no. It reaches the agent over the authenticated inner TLS, except for CodeOverloaded and
// CodeDraining, which the relay says before it.
type Refused struct {
	Code      string `json:"code"`
	Message   string `json:"message"`   // a sentence for people
	Permanent bool   `json:"permanent"` // trying again will not help until somebody does something
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("the relay refuses the agent (%s): %s", r.Code, r.Message)
}

// bounded cuts what a peer sent to what a log line should hold.
func (r *Refused) bounded() *Refused {
	return &Refused{Code: shorten(r.Code, 64), Message: shorten(r.Message, 512), Permanent: r.Permanent}
}

func overloaded() *Refused {
	return &Refused{Code: CodeOverloaded, Message: "Too many agents are connecting at once; try again shortly."}
}

func draining() *Refused {
	return &Refused{Code: CodeDraining, Message: "The relay is stopping; try again shortly."}
}

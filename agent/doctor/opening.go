package doctor

import (
	"context"
	"encoding/json"
	"time"

	"gantry/agent/calls"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// openingTime bounds a first login; the relay's budget is shorter.
const openingTime = time.Minute

// Witness is a calls.Witness: a new login, seen step by step as a diagnosis sees one.
func Witness(ctx context.Context, o *calls.Opening, tell func(check.Result)) {
	who := o.Login.Connection
	l := &look{
		Connection: Connection{ID: who.ID, Name: who.Name, System: who.System, User: UserOf(o.Login.Settings)},
		try:        newTry(ctx, o, openingTime),
	}
	known := step{"definition", "Definition", fault.HopAgent, func(context.Context) check.Outcome {
		return check.Pass("the agent has what it needs to speak to "+who.System, "the login opens with the agent's key, and is complete")
	}}
	checks, _ := l.chain(append([]step{known}, l.steps()...))
	check.Run(ctx, checks, check.Options{Limit: openingTime, Progress: func(_, _ int, r check.Result) { tell(r) }})
	l.attempt() // also where no check has waited for it
}

// UserOf is the name that a login's settings give, by which a system's people know it.
func UserOf(settings json.RawMessage) string {
	var login struct {
		Username string `json:"username"`
	}
	_ = json.Unmarshal(settings, &login) // a login without one is named by its connection
	return login.Username
}

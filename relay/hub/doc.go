// Package hub holds the sessions of the agents and finds the way to each.
//
// A session arrives by the tunnel: the hub admits or refuses it (admission.go), keeps it in its agent's presence
// (presence.go), proves its health by a call every ten seconds (attend.go), and hands it the calls of package api
// (hub.go): small ones on the lane for calls, streams on the lane for bulk, either on the other when one is down. Which
// node of several holds an agent is the Directory's to know. Identity is the hub's too: the enrolment of an agent and
// the renewal of its certificate. A call for an agent that said it stops waits a little for its return (leave.go), so
// that an upgrade of the agent costs no call.
//
// The hub never looks into a call, never retries one that may have reached an agent, and holds no lock across I/O.
package hub

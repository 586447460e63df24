// Package support serves what people in the cloud may ask of the agent itself: a diagnosis, the support bundle, the logs. It
// is a fixed set of runs that change nothing.
//
// What looks at the agent as a whole needs the plant's consent (Consent): the key `support` of agent.yaml, and with `ask`
// somebody on the agent's host who says `gantry-agent support on`, for a time. The diagnosis of one connection makes only
// calls that the connection may make anyway, as the policy allows them, and so needs no consent. Every run, a refused one
// too, is limited in number and rate, stands in the agent's log, and is kept for the plant to read.
//
// The package runs nothing itself: the doctor, the bundle and the logs are what its Options name.
package support

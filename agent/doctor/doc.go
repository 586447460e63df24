// Package doctor holds the checks that find out why an agent does not work, and whom to ask.
//
// There are two sets. Machine looks at the agent's machine and its configuration (groups host and config); it reads files
// and asks the service manager, so it works with the service running, stopped or not installed. Road goes the way to
// the relay (groups network and relay, and the clock, which is compared with the relay's). It belongs where the way begins:
// in the running service, whose account, environment and sandbox decide what it reaches; else in the command line.
//
// A check looks and never mends. It dials with the agent's own dialer (tunnel.Dialer.Probe), never a second one, touches
// no running session, and never switches a verification off. What it finds has a row in tunnel/check/findings_*.go.
package doctor

// Package links keeps the agent's sessions with the relay alive.
//
// A Supervisor owns n slots, each of which is to hold one session: slot 0 the lane of small calls, the others that of
// bulk. One goroutine owns all state; dials, pings and drains run beside it and report back in events.
//
//	waiting ──due──▶ dialing ──ok──▶ connected ──lost──▶ waiting (exponential, full jitter, 0.5 s … 30 s)
//	                    │                │
//	                    │                └─relay drains──▶ the session retires, the slot dials its replacement
//	                    └─refused for good──▶ refused (tried again every 5 min: a person may have mended it)
//
// The back-off starts anew only after a minute of health, so that a relay which accepts and drops is not hammered.
// When Run's context ends every session is drained, then closed.
//
// The package knows nothing of what travels in a session, and logs each change once: a lost session while another
// lives is a warning, the last one an error.
package links

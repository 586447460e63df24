package check

// ownFindings are what the engine finds about checks.
var ownFindings = []Finding{
	{"CHK-PANIC", "A check broke",
		"The check {check} has a fault of its own; what it looks at may be in order. The other checks are not touched.",
		"Please send this report to whoever makes the agent: the check {check} panicked at the place shown.", Cloud},
	{"CHK-OVERRUN", "A check did not end",
		"The check {check} did not end in its time: what it waits for hangs, as a dead disk or network drive does.",
		"Run it again when the other findings are mended. If this one stays, look for a disk or a network drive of this machine that hangs.", PlantIT},
}

package conformance

import "testing"

// Run runs the suite. What a system does not have, such as logins, has no member in its run.
func Run(t *testing.T, s Suite) {
	type member struct {
		name string
		run  func(*testing.T, Suite)
	}
	members := []member{
		{"check", testCheck},
		{"read all", testReadAll},
		{"types are exact", testTypes},
		{"pages neither lose nor repeat", testPages},
		{"filters", testFilters},
		{"empty result", testEmpty},
		{"early stop", testEarlyStop},
		{"streams", testStream},
		{"nested reads under full load", testNested},
		{"concurrency is bounded", testBound},
		{"misuse", testMisuse},
		{"commit and rollback", testTransaction},
		{"effects", testEffects},
		{"a duplicate is answered", testDuplicate},
		{"cancel ends the statement", testCancel},
		{"cancel ends a stream", testCancelStream},
		{"timeout", testTimeout},
		{"close ends calls", testClose},
		{"policy refusal passes through", testPolicy},
	}
	if s.Reads {
		members = append(members, member{"reading cannot write", testReadOnly})
	}
	if s.Refuse != nil {
		members = append(members, member{"refused login", testRefused}, member{"unreachable", testUnreachable})
	}
	for _, m := range members {
		t.Run(m.name, func(t *testing.T) { m.run(t, s) })
	}
}

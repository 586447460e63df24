package conformance

import "testing"

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Suite)
	}{
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
		{"reading cannot write", testReadOnly},
		{"commit and rollback", testTransaction},
		{"effects", testEffects},
		{"a duplicate is answered", testDuplicate},
		{"cancel ends the statement", testCancel},
		{"cancel ends a stream", testCancelStream},
		{"timeout", testTimeout},
		{"close ends calls", testClose},
		{"refused login", testRefused},
		{"unreachable", testUnreachable},
		{"policy refusal passes through", testPolicy},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

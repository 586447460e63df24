// Package conformance holds the tests that every driver must pass: what connectors.Conn and connectors.Tx promise,
// proved against the real system.
//
// A driver's own test package fills a table with Parts, tells the suite its native statements, and calls Run:
//
//	conformance.Run(t, conformance.Suite{Driver: sqldriver.Driver{}, Target: …, Steps: conformance.Steps{…}})
package conformance

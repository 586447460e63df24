// Package records says what the relay keeps of the plants' records: a copy of each record that is synced, where each sync
// stands, and what has still to be told of it.
//
// A sync is one entity of one connection. Package syncs runs it, page by page: Keep takes a page's records, how far the run
// is now, and the changes that others must hear of, in one transaction, so that a run goes on after a crash at the page
// where it was, and tells every change once. Records that are gone at the source stay, with the time of their deletion,
// until they are erased. Package sqlite is the store of one machine, in a file of its own, so that bulk never keeps tokens
// or audit waiting; package recordstest is what every store must pass.
//
// The store believes nothing: what comes from an agent is read by Parse before it gets here. It holds records of plants,
// in clear, and never a login.
package records

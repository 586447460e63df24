// Package jobs runs the relay's background work: it says when something is looked at again, and bounds how much of it runs at
// a time. The queue is River (github.com/riverqueue/river) on a SQLite file of its own, jobs.db, beside the store.
//
// A job only triggers. What is due stands in the stores, and a job is told no more than where to look: its arguments are
// ids, never a secret and never data. So every job can run twice, a lost one is made anew by a sweep (at the start, and
// every minute), and a jobs.db that is deleted, or damaged, costs nothing: it is made again.
//
// Two jobs of the same kind and arguments never run at a time, and a job that is queued while its like runs is run after
// it, so that no wake-up is lost. River's own uniqueness would drop the second one, which may bring what the first has not
// seen. A job that fails or panics is one warning in the log; its sweep is what tries again.
//
// The package knows nothing of what the jobs do, and it alone imports River.
package jobs

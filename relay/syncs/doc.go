// Package syncs keeps the copies of package records like the plants' own: it decides when each sync runs and what it reads,
// and does it, page by page.
//
// A run is a state in the store, and a Step moves it on for some seconds: it reads pages by cursor, from the agent, on the
// bulk lane, and gives each with the place of the next to the store. Pages and not one stream, because a page is where a run
// can be killed, paused, or put behind a sync that waits, and goes on; because it holds no query open in the plant's database
// while it is stored; and because a plant's row cap bounds it and does not end it. A stream read a third faster.
//
// The first run reads everything within the window, the next ones what changed since the mark (mark.go), and once a day a
// full run finds what changed without a word, and what is gone. Gone is what a whole run did not see and what the source,
// asked for it by its id, does not have (confirm.go); a run that finds nothing any more, or less than half, deletes nothing
// until somebody says that it is so.
//
// A source that fails is tried again, later and later, from where the run was (retry.go). Package jobs says when a Step
// is due; two steps of one sync never run at a time, and few of one agent. The package never writes to a plant.
package syncs

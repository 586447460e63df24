// Package status knows how each connection is, and says so: one state, since when, what it reaches, and a sentence that
// support can read out.
//
// A Keeper holds for each connection the matrix of entities and operations that its agent tells (package hub carries the
// agent's words; matrix.go turns ages into times), and joins it with what only the relay can know: whether the agent is
// proved to be there, and where the connection's life stands. judge (verdict.go) makes of these one verdict, by the
// precedence of the contract; sentence.go words it. Whoever asks gets it made anew, of what holds at that moment: nothing
// is shown as fresher than it is, and what an agent told last stays, with its times, when the agent is gone.
//
// The Keeper also notices what happens: a state that changes, a login that is refused, a breaker that moves, an agent that
// comes or goes, calls that fail. Each is an event in the store, which is where webhooks begin; equal failures are counted
// together. An agent that is away for as long as a restart takes is shown as offline at once, and told as an event only if
// it stays away or a call needed it.
//
// It never asks an agent anything and makes no call. What agents say is a claim, bounded in size and number.
package status

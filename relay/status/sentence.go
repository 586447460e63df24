package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/store"
)

// old is the age from which on a check is told with its time.
const old = 5 * time.Minute

// say words the verdict of a state. What agents told is in it: it is bounded.
func (f *facts) say(state State) string { return clip(f.sentence(state), store.MaxEventMessage) }

func (f *facts) sentence(state State) string {
	switch state {
	case Pending:
		return f.sayPending()
	case Disconnected:
		return f.sayDisconnected()
	case Paused:
		return f.sayPaused()
	case AgentOffline:
		return f.sayAgentOffline()
	case SystemOffline:
		return f.saySystemOffline()
	case Throttled:
		return f.sayThrottled()
	}
	switch {
	case state == ReauthRequired && f.matrix.Missing:
		return f.sayMissing()
	case state == ReauthRequired:
		return f.sayRefused()
	case held(f.matrix.Circuit):
		return f.sayHeld()
	case state == Degraded:
		return f.sayDegraded()
	}
	return f.sayActive()
}

func (f *facts) sayPending() string {
	return "The connection is being made: its first login is under way."
}

func (f *facts) sayDisconnected() string {
	return fmt.Sprintf("The connection was disconnected%s, for good: its token is dead. To use the system again, reconnect, which makes a new "+
		"connection with a new token.", f.moment(" at ", f.connection.DisconnectedAt))
}

func (f *facts) sayPaused() string {
	return fmt.Sprintf("The connection has been paused on purpose%s: no call is made. Resume it to go on.", f.since(f.connection.PausedAt))
}

func (f *facts) sayAgentOffline() string {
	if !f.agent.Revoked.IsZero() {
		return f.sayRevoked()
	}
	who, why := "The agent", ""
	if f.agent.Host != "" {
		who += " on " + f.agent.Host
	}
	if f.agent.End != "" {
		why = fmt.Sprintf(" Its last session ended so: %s.", strings.TrimSuffix(f.agent.End, "."))
	}
	return fmt.Sprintf("%s has been offline%s: nothing can be read or written.%s See at the plant that the machine runs and reaches the relay; "+
		"`gantry-agent doctor` there tells what is wrong.", who, f.since(f.agent.Seen), why)
}

func (f *facts) sayRevoked() string {
	who := "The agent"
	if f.agent.Host != "" {
		who += " on " + f.agent.Host
	}
	return fmt.Sprintf("%s was revoked%s, for good: nothing can be read or written. Link the connection anew with its login: another agent of "+
		"the site takes it then.", who, f.moment(" at ", f.agent.Revoked))
}

func (f *facts) saySystemOffline() string {
	s := f.matrix.System
	return fmt.Sprintf("The system cannot be reached%s%s: nothing can be read or written. The agent is connected, so look at the system itself, and at "+
		"the network between the two. Gantry tries again by itself.", f.since(s.Since), detail(s.LastError))
}

func (f *facts) sayMissing() string {
	return "The agent holds no login for this connection any more: it was removed at the plant, or the agent's data were lost. " +
		"Nothing can be read or written until the connection is linked anew with its login."
}

func (f *facts) sayRefused() string {
	l := f.matrix.Login
	return fmt.Sprintf("The system refuses the login%s%s: nothing can be read or written. The password was changed, has expired or is locked. "+
		"Link the connection anew with a login that works.", f.since(l.Since), detail(l.LastError))
}

func (f *facts) sayThrottled() string {
	return fmt.Sprintf("The system asks for fewer calls: they wait until %s. Other connections are not slowed down. Nothing is to be done, "+
		"unless it happens often: then call less, or ask for a higher limit at the system.", f.clock(f.matrix.ThrottledUntil))
}

func (f *facts) sayHeld() string {
	why := ""
	if latest := latestFailure(f.matrix); latest != nil {
		why = ": " + plain(latest)
	}
	return fmt.Sprintf("All calls are held back%s, after repeated failure%s. Gantry tries again by itself, and lets them pass as soon as one succeeds.",
		f.since(f.matrix.Circuit.Since), why)
}

// latestFailure is the newest one of the matrix.
func latestFailure(m *matrix) *failure {
	latest := m.System.LastError
	for _, c := range cellsOf(m) {
		if e := c.LastError; e != nil && (latest == nil || e.At.After(latest.At)) {
			latest = e
		}
	}
	return latest
}

func (f *facts) sayActive() string {
	cells, quiet := cellsOf(f.matrix), f.quiet()
	var newest time.Time
	var never []cell
	for _, c := range cells {
		if c.Checked.After(newest) {
			newest = c.Checked
		}
		if c.State == wire.OperationDenied {
			never = append(never, c)
		}
	}
	var said string
	switch worked := len(cells) > len(never); {
	case quiet && worked:
		said = f.sayQuiet() + " Before, everything worked."
	case quiet:
		said = f.sayQuiet()
	case !worked && f.matrix.System.State == wire.SystemReachable:
		said = "The system answers. Nothing has been read or written yet."
	case !worked:
		said = "The login worked when the connection was made. Nothing has been read or written yet."
	case f.now.Sub(newest) > old:
		said = fmt.Sprintf("Everything worked when it was last looked at, %s.", f.clock(newest))
	default:
		said = "Everything works."
	}
	for _, group := range grouped(never, func(cell) string { return "" }) {
		said += fmt.Sprintf(" The login may not %s.", doing(group, infinitive, " or "))
	}
	return said
}

func (f *facts) sayQuiet() string {
	return fmt.Sprintf("The plant's quiet hours last until %s: until then no call is made.", f.clock(f.matrix.QuietUntil))
}

// mostReasons is how many reasons a sentence tells.
const mostReasons = 3

func (f *facts) sayDegraded() string {
	all := cellsOf(f.matrix)
	bad := slices.DeleteFunc(slices.Clone(all), func(c cell) bool { return !c.bad() })
	var said []string
	groups := grouped(bad, reason)
	for i, group := range groups {
		if i == mostReasons {
			said = append(said, fmt.Sprintf("There are %d more reasons for failures: see `entities`.", len(groups)-i))
			break
		}
		said = append(said, f.sayFailing(group))
	}
	switch {
	case f.quiet():
		said = append(said, f.sayQuiet())
	case len(bad) < len(all):
		said = append(said, "Everything else works.")
	}
	return strings.Join(said, " ")
}

func (f *facts) sayFailing(group []cell) string {
	var since time.Time
	heldBack := ""
	for _, c := range group {
		since = earlier(since, c.Since)
		if held(c.Circuit) {
			heldBack = "; further calls are held back for now"
		}
	}
	return fmt.Sprintf("%s fails%s: %s%s.%s", upper(doing(group, gerund, " and ")), f.since(since), plain(group[0].LastError), heldBack, advice(group[0].LastError))
}

// reason groups failures: those of one code have one cause.
func reason(c cell) string {
	if c.LastError == nil {
		return ""
	}
	return c.LastError.Code
}

// grouped puts what has one key together, in the order in which the keys appear.
func grouped[T any](of []T, key func(T) string) [][]T {
	var groups [][]T
	at := map[string]int{}
	for _, c := range of {
		i, known := at[key(c)]
		if !known {
			i = len(groups)
			at[key(c)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// since says from when on; nothing where that is unknown.
func (f *facts) since(t time.Time) string { return f.moment(" since ", t) }

func (f *facts) moment(word string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return word + f.clock(t)
}

// clock writes a time as people say it: without the date where that is today's.
func (f *facts) clock(t time.Time) string {
	t = t.UTC()
	if t.Format(time.DateOnly) == f.now.UTC().Format(time.DateOnly) {
		return t.Format("15:04 UTC")
	}
	return t.Format("2006-01-02 15:04 UTC")
}

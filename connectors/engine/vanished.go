package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// lookTime bounds the look for columns that went.
const lookTime = 5 * time.Second

// vanished explains a fault of the system's that nobody else explains: a column that an overlay maps may be there no longer. nil: it is not
// that.
func (e *Engine) vanished(ctx context.Context, at place) *fault.Error {
	t := e.tables[at.entity]
	discoverer, can := e.conn.(connectors.Discoverer)
	if t == nil || !can || at.operation == "discover" || !slices.ContainsFunc(t.custom, (*column).isDiscovered) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime) // the call may be over; what it ended with is still to be said
	defer cancel()
	found, err := discoverer.Discover(ctx, connectors.Discovery{Statement: t.Table.Discover, List: t.Bare, Vars: e.vars(), Used: t.Used(), Limit: maxDiscovered})
	if err != nil || found.More {
		return nil
	}
	f := fault.New(fault.SystemError, "").Reaches(fault.ScopeEntity).
		Advise("Take the field out of the overlay, or map another column: PUT /connections/{id}/overlay, or the overlay's file at the agent.")
	var names []string
	for _, c := range t.custom {
		there := slices.ContainsFunc(found.Columns, func(k connectors.Found) bool { return k.Name == c.Discovered })
		if c.isDiscovered() && !there {
			names = append(names, strconv.Quote(c.Discovered))
			f.Member(c.path, "INVALID", "the system no longer has the column %q", c.Discovered)
		}
	}
	if len(names) == 0 {
		return nil
	}
	f.Detail = "The overlay maps columns that the system no longer has: " + strings.Join(names, ", ") + "."
	return f
}

func (c *column) isDiscovered() bool { return c.Discovered != "" }

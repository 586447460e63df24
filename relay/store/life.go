package store

import (
	"encoding/json"
	"fmt"
)

// Note is who changed a connection's life, and with which request. The change's event tells it.
type Note struct {
	By        Actor
	RequestID string
}

// changes says of each change of a connection's life what it was. What it leaves out, the event's kind says.
var changes = map[EventKind]string{
	ConnectionCreated:       "The connection was made",
	ConnectionRelinked:      "The connection got a new login",
	ConnectionPaused:        "The connection was paused",
	ConnectionResumed:       "The connection was resumed",
	ConnectionDisconnected:  "The connection was disconnected",
	ConnectionTokenReplaced: "The connection got a new token",
}

// Change makes the event of a change in a connection's life. A store appends it with the change, in one transaction.
func (n Note) Change(kind EventKind, c Connection) NewEvent {
	e := NewEvent{
		OrganisationID: c.OrganisationID, SiteID: c.SiteID, AgentID: c.AgentID, ConnectionID: c.ID,
		Level: LevelInfo, Kind: kind, RequestID: n.RequestID, Message: changes[kind] + ".",
	}
	if n.By == (Actor{}) {
		return e
	}
	e.Message = fmt.Sprintf("%s by %s.", changes[kind], n.By)
	e.Data, _ = json.Marshal(struct { // of strings: it cannot fail
		ID   string `json:"id,omitempty"`
		Name string `json:"name"`
		Role Role   `json:"role"`
	}(n.By))
	e.Data = json.RawMessage(`{"by":` + string(e.Data) + `}`)
	return e
}

// String names an actor to people.
func (a Actor) String() string {
	if a.ID == "" {
		return fmt.Sprintf("%s (%s)", a.Name, a.Role)
	}
	return fmt.Sprintf("the key %q (%s, %s)", a.Name, a.ID, a.Role)
}

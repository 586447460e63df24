package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Audit is who did what: an entry for every change that is made for an organisation, and for every run of support at its
// sites. Entries are added, and never changed or removed. An organisation's are numbered from one without a gap, so that
// a missing one shows.
type Audit interface {
	// RecordAudit adds an entry and gives it with its id and its time. ErrNotFound: no such organisation.
	RecordAudit(ctx context.Context, entry AuditEntry) (AuditEntry, error)
	// Audit lists an organisation's entries in their order.
	Audit(ctx context.Context, organisation string, page Page) ([]AuditEntry, error)
	// AuditSize gives how many entries an organisation has: the number of the last one.
	AuditSize(ctx context.Context, organisation string) (int, error)
}

// AuditEntry is one line of the audit. ID and At are the store's to set.
type AuditEntry struct {
	ID             string
	OrganisationID string
	At             time.Time
	Actor          Actor
	Action         string // as `sites.delete`
	Subject        Subject
	RequestID      string
	Result         string // OK, or the code of the fault that it ended with
}

// Actor is who did it.
type Actor struct {
	ID   string // of the key or the enrolment token; empty for whoever owns the relay
	Name string
	Role Role
}

// Subject is what it was done to. Members that do not apply are empty.
type Subject struct {
	Target       string // the id of what was changed or asked
	SiteID       string
	AgentID      string
	ConnectionID string
}

const auditPrefix = "aud_"

// AuditID gives the id of an organisation's n-th entry. Ids sort by age.
func AuditID(n int) string { return fmt.Sprintf("%s%012d", auditPrefix, n) }

// AuditNumber reads an id of AuditID; an empty one is 0, before all entries.
func AuditNumber(id string) (n int, ok bool) {
	if id == "" {
		return 0, true
	}
	digits, prefixed := strings.CutPrefix(id, auditPrefix)
	n, err := strconv.Atoi(digits)
	return n, prefixed && err == nil && n > 0 && AuditID(n) == id
}

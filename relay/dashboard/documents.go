package dashboard

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What the pages read of the API's documents.

type list[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next_cursor"`
}

// connection is GET /connections/{id}.
type connection struct {
	ID             string     `json:"id"`
	Site           string     `json:"site"`
	Place          string     `json:"site_name"`
	Agent          string     `json:"agent"`
	System         string     `json:"system"`
	Product        string     `json:"system_name"`
	Name           string     `json:"name"`
	State          string     `json:"state"`
	Since          *time.Time `json:"state_since"`
	Message        string     `json:"state_message"`
	Credits        int        `json:"credits"`
	CreatedAt      *time.Time `json:"created_at"`
	DisconnectedAt *time.Time `json:"disconnected_at"`

	Settings map[string]any `json:"settings"`
}

// Needy tells whether somebody has to do something about it.
func (c connection) Needy() bool { return tone(c.State) == bad || tone(c.State) == fair }

// Path is the connection's page.
func (c connection) Path() string { return "/connections/" + url.PathEscape(c.ID) }

// connectionCounts is what GET /connections?include=counts adds.
type connectionCounts struct {
	Total   int            `json:"total"`
	States  map[string]int `json:"states"`
	Systems []facet        `json:"systems"`
	Sites   []facet        `json:"sites"`
}

type facet struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// status is GET /connections/{id}/status.
type status struct {
	State          string     `json:"state"`
	Since          *time.Time `json:"since"`
	ReauthRequired bool       `json:"reauth_required"`
	Message        string     `json:"message"`
	Affects        string     `json:"affects"`
	Agent          struct {
		State       string     `json:"state"`
		RoundTripMS *float64   `json:"round_trip_ms"`
		LastSeenAt  *time.Time `json:"last_seen_at"`
	} `json:"agent"`
	System struct {
		State       string     `json:"state"`
		CheckedAt   *time.Time `json:"checked_at"`
		NextProbeAt *time.Time `json:"next_probe_at"`
		Version     *string    `json:"version"`
	} `json:"system"`
	Circuit struct {
		State   string     `json:"state"`
		RetryAt *time.Time `json:"retry_at"`
	} `json:"circuit"`
	Entities map[string]map[string]operation `json:"entities"`
}

// operation is one cell of the matrix.
type operation struct {
	State         string     `json:"state"`
	Since         *time.Time `json:"since"`
	LastSuccessAt *time.Time `json:"last_success_at"`
	LastError     *struct {
		Code      string     `json:"code"`
		RequestID *string    `json:"request_id"`
		Detail    string     `json:"detail"`
		At        *time.Time `json:"at"`
	} `json:"last_error"`
	Circuit     string     `json:"circuit"`
	CheckedAt   *time.Time `json:"checked_at"`
	NextProbeAt *time.Time `json:"next_probe_at"`
}

// the columns of the matrix, in the order of the API; actions follow by name.
var operations = []string{"list", "get", "create", "update", "delete"}

// matrix lays the operations out: a row for each entity, a column for each operation of which something is known.
type matrix struct {
	Columns []string
	Rows    []matrixRow
}

type matrixRow struct {
	Entity string
	Cells  []*operation // nil: nothing is known
}

func (s status) Matrix() matrix {
	known := map[string]bool{}
	for _, row := range s.Entities {
		for name := range row {
			known[name] = true
		}
	}
	m := matrix{Columns: slices.SortedFunc(maps.Keys(known), byPlace)}
	for _, entity := range slices.Sorted(maps.Keys(s.Entities)) {
		row := matrixRow{Entity: entity}
		for _, column := range m.Columns {
			var cell *operation
			if o, there := s.Entities[entity][column]; there {
				cell = &o
			}
			row.Cells = append(row.Cells, cell)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func byPlace(a, b string) int {
	place := func(name string) int {
		if i := slices.Index(operations, name); i >= 0 {
			return i
		}
		return len(operations)
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
}

// event is one of GET /connections/{id}/events.
type event struct {
	ID        string     `json:"id"`
	At        *time.Time `json:"at"`
	Level     string     `json:"level"`
	Kind      string     `json:"kind"`
	Entity    string     `json:"entity"`
	Operation string     `json:"operation"`
	Code      string     `json:"code"`
	RequestID string     `json:"request_id"`
	Message   string     `json:"message"`

	Path string `json:"-"` // of the connection whose log it is in
}

// site is GET /sites/{id}.
type site struct {
	ID           string     `json:"id"`
	Organisation string     `json:"organisation"`
	Name         string     `json:"name"`
	CreatedAt    *time.Time `json:"created_at"`
	Agents       []agent    `json:"agents"`
}

// Path is the site's page.
func (s site) Path() string { return "/sites/" + url.PathEscape(s.ID) }

type agent struct {
	ID                   string     `json:"id"`
	Hostname             string     `json:"hostname"`
	Version              string     `json:"version"`
	OS                   string     `json:"os"`
	Arch                 string     `json:"arch"`
	State                string     `json:"state"`
	EnrolledAt           *time.Time `json:"enrolled_at"`
	ConnectedSince       *time.Time `json:"connected_since"`
	LastSeenAt           *time.Time `json:"last_seen_at"`
	RoundTripMS          *float64   `json:"round_trip_ms"`
	Sessions             int        `json:"sessions"`
	Addresses            []string   `json:"addresses"`
	CertificateExpiresAt *time.Time `json:"certificate_expires_at"`
	SealingKey           *struct {
		ID          string `json:"id"`
		PublicKey   string `json:"public_key"`
		Fingerprint string `json:"fingerprint"`
	} `json:"sealing_key"`
}

// newSite is the answer to POST /sites and to POST /sites/{id}/enrolment-tokens.
type newSite struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Token     string     `json:"enrolment_token"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// credits is GET /credits, without who uses them.
type credits struct {
	Total     int `json:"total"`
	Used      int `json:"used"`
	Available int `json:"available"`
}

// entry is one of GET /audit.
type entry struct {
	ID    string     `json:"id"`
	At    *time.Time `json:"at"`
	Actor struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Role string `json:"role"`
	} `json:"actor"`
	Action    string `json:"action"`
	Target    string `json:"target"`
	RequestID string `json:"request_id"`
	Result    string `json:"result"`
}

// Path is the page of what was changed; "": it has none.
func (e entry) Path() string {
	for prefix, page := range map[string]string{"con_": "/connections/", "site_": "/sites/", "whk_": "/webhooks/"} {
		if strings.HasPrefix(e.Target, prefix) {
			return page + url.PathEscape(e.Target)
		}
	}
	return ""
}

// webhook is one of GET /webhooks.
type webhook struct {
	ID            string     `json:"id"`
	URL           string     `json:"url"`
	Description   string     `json:"description"`
	Events        []string   `json:"events"`
	State         string     `json:"state"`
	Reason        string     `json:"reason"`
	FailingSince  *time.Time `json:"failing_since"`
	RetriesAt     *time.Time `json:"retries_at"`
	LastSuccessAt *time.Time `json:"last_success_at"`
	LastError     string     `json:"last_error"`
	Secret        string     `json:"secret"` // only of one that was just made, or whose secret was just rotated
}

// Path is the webhook's page.
func (w webhook) Path() string { return "/webhooks/" + url.PathEscape(w.ID) }

// delivery is one of GET /webhooks/{id}/deliveries.
type delivery struct {
	ID             string     `json:"id"`
	Type           string     `json:"type"`
	Subject        string     `json:"subject"`
	State          string     `json:"state"`
	CreatedAt      *time.Time `json:"created_at"`
	Attempts       int        `json:"attempts"`
	NextAttemptAt  *time.Time `json:"next_attempt_at"`
	LastAttemptAt  *time.Time `json:"last_attempt_at"`
	ResponseStatus *int       `json:"response_status"`
	Error          string     `json:"error"`
}

// key is one of GET /keys.
type key struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	CreatedAt *time.Time `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Token     string     `json:"token"`     // only of one that was just made
	SignOuts  int        `json:"sign_outs"` // only of the key that asks
}

// State is a key's in a word.
func (k key) State() string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && k.ExpiresAt.Before(time.Now()):
		return "expired"
	}
	return "active"
}

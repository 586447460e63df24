package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors/entity"
	"gantry/connectors/wire"
	"gantry/relay/records"
	"gantry/tunnel/fault"
)

// Bounds of a query for records, as at the agents.
const (
	maxParams = 50
	maxValues = 100
	maxValue  = 1000 // bytes
)

// narrowing reads the parameters of a list of synced records, which are those of the live one, and gathers all that is wrong
// with them.
type narrowing struct {
	can     wire.EntityCapabilities
	streams bool
	wanted  *wantedRecords
	faults  *fault.Error
	cursor  string
}

func readWanted(s records.Sync, params url.Values, streams bool) (*wantedRecords, error) {
	can, err := capabilitiesOf(s)
	if err != nil {
		return nil, err
	}
	n := &narrowing{
		can: can, streams: streams, wanted: &wantedRecords{query: records.Query{Limit: defaultPage}},
		faults: fault.New(fault.InvalidRequest, "The query has parameters that cannot be used.").In(s.Entity, opList, ""),
	}
	if len(params) > maxParams {
		return nil, fault.New(fault.InvalidRequest, "The query has more than %d parameters.", maxParams)
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		n.param(name, params[name])
	}
	n.wanted.print = fingerprint(s.Key, params)
	if n.cursor != "" && !n.wanted.open(n.cursor) {
		n.refuse("cursor", "INVALID", "the cursor is not one of this query on this connection: start again without it")
	}
	if len(n.faults.Fields) > 0 {
		return nil, n.faults
	}
	return n.wanted, nil
}

func (n *narrowing) refuse(name, code, format string, args ...any) {
	n.faults.Member(clip(name), code, format, args...)
}

func (n *narrowing) param(name string, values []string) {
	single := name == "limit" || name == "cursor" || name == "modified_after" || name == "created_after" || name == "deleted"
	switch {
	case single && len(values) != 1:
		n.refuse(name, "INVALID", "stands there %d times", len(values))
		return
	case len(values) > maxValues:
		n.refuse(name, "INVALID", "more than %d values", maxValues)
		return
	case slices.ContainsFunc(values, func(v string) bool { return len(v) > maxValue }):
		n.refuse(name, "TOO_LONG", "longer than %d bytes", maxValue)
		return
	}
	q := &n.wanted.query
	switch name {
	case "limit":
		n.limit(values[0])
	case "cursor":
		if n.cursor = values[0]; n.streams {
			n.refuse(name, "INVALID", "a stream has no cursor: it gives the whole result")
		}
	case "fields":
		n.fields(values)
	case "include":
		n.refuse(name, "INVALID", "what is synced has no native records: ask the entity itself")
	case "modified_after":
		n.moment(name, values[0], &q.ModifiedAfter)
	case "created_after":
		n.moment(name, values[0], &q.CreatedAfter)
	case "deleted":
		n.deleted(values[0])
	case "status":
		n.status(values)
	default:
		n.filter(name, values)
	}
}

func (n *narrowing) limit(value string) {
	limit, err := strconv.Atoi(value)
	switch {
	case n.streams:
		n.refuse("limit", "INVALID", "a stream has no limit: it gives the whole result")
	case err != nil || limit < 1 || limit > largestPage:
		n.refuse("limit", "INVALID", "must be a whole number from 1 to %d", largestPage)
	}
	n.wanted.query.Limit = limit
}

func (n *narrowing) moment(name, value string, into *time.Time) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		n.refuse(name, "INVALID", "must be a time as 2026-03-01T06:30:00Z")
	}
	*into = at
}

// The words of the parameter `deleted`.
const (
	deletedExclude = "exclude"
	deletedInclude = "include"
	deletedOnly    = "only"
)

func (n *narrowing) deleted(value string) {
	switch value {
	case deletedExclude:
	case deletedInclude:
		n.wanted.query.Gone = records.WithGone
	case deletedOnly:
		n.wanted.query.Gone = records.OnlyGone
	default:
		n.refuse("deleted", "INVALID", "exclude, include or only")
	}
}

func (n *narrowing) fields(values []string) {
	n.wanted.fields = map[string]bool{}
	for name := range strings.SplitSeq(strings.Join(values, ","), ",") {
		_, own := n.can.Fields[name]
		_, custom := n.can.Fields["custom_fields."+name]
		if !own && !custom && !isEnvelope(name) {
			n.refuse("fields", "UNKNOWN", "the entity has no field %q", clip(name))
		}
		n.wanted.fields[name] = true
	}
}

func (n *narrowing) status(values []string) {
	f, known := n.can.Fields["status"]
	if !known {
		n.refuse("status", "UNKNOWN", "the entity has no status")
		return
	}
	for _, value := range values {
		if !slices.Contains(f.Values, value) {
			n.refuse("status", "INVALID", "%q is none of: %s", clip(value), strings.Join(f.Values, ", "))
			return
		}
	}
	n.wanted.query.Status = values
}

// filter compares a field that the capabilities call filterable.
func (n *narrowing) filter(name string, values []string) {
	path := "$." + name
	f, known := n.can.Fields[name]
	if !known {
		path = "$.custom_fields." + name
		f, known = n.can.Fields["custom_fields."+name]
	}
	switch {
	case !known || f.DeniedBy != "":
		n.refuse(name, "UNKNOWN", "there is no such parameter")
		return
	case !f.Filterable:
		n.refuse(name, "INVALID", "it cannot be filtered by %s; it can by: %s", clip(name), strings.Join(n.can.Filters, ", "))
		return
	}
	filter := records.Filter{Path: path, Form: records.Text}
	for _, value := range values {
		value, want := n.value(f, value, &filter.Form)
		if want != "" {
			n.refuse(name, "INVALID", "%s", want)
			return
		}
		filter.Values = append(filter.Values, value)
	}
	n.wanted.query.Filters = append(n.wanted.query.Filters, filter)
}

// value brings a value to the form in which documents hold it; want says what it should have been.
func (n *narrowing) value(f wire.FieldCapability, value string, form *records.Form) (out, want string) {
	switch entity.Type(f.Type) {
	case entity.Integer, entity.Decimal:
		*form = records.Number
		if _, ok := new(big.Rat).SetString(value); !ok || strings.ContainsAny(value, "/_xXpP") {
			return "", "must be a number"
		}
	case entity.Boolean:
		*form = records.Boolean
		if value != "true" && value != "false" {
			return "", "true or false"
		}
	case entity.Datetime:
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return "", "must be a time as 2026-03-01T06:30:00Z"
		}
		value = at.UTC().Format(time.RFC3339Nano)
	case entity.Date:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "", "must be a day as 2026-03-01"
		}
	case entity.Enum:
		if len(f.Values) > 0 && !slices.Contains(f.Values, value) {
			return "", "one of: " + strings.Join(f.Values, ", ")
		}
	}
	return value, ""
}

// printSize is how much of a fingerprint a cursor carries, in bytes.
const printSize = 12

// fingerprint is what makes a query another one: everything but where it stands and how much it takes at a time.
func fingerprint(key records.Key, params url.Values) []byte {
	same := maps.Clone(params)
	delete(same, "cursor")
	delete(same, "limit")
	sum := sha256.Sum256([]byte(key.Connection + "\x00" + key.Entity + "\x00" + same.Encode()))
	return sum[:printSize]
}

// place is where a list stands: what a cursor carries behind the fingerprint. It is no secret, and needs no seal: whoever
// changes it reads from another place of what he may read anyway.
type place struct {
	ID       string    `json:"i"`
	Modified time.Time `json:"m"`
}

func (w *wantedRecords) cursor(last records.Stored) string {
	position, _ := json.Marshal(place{last.ID, last.Modified}) // a text and a time always can be
	return base64.RawURLEncoding.EncodeToString(append(slices.Clone(w.print), position...))
}

func (w *wantedRecords) open(cursor string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < printSize || !bytes.Equal(raw[:printSize], w.print) {
		return false
	}
	var at place
	if json.Unmarshal(raw[printSize:], &at) != nil {
		return false
	}
	w.query.After = records.Position(at)
	return true
}

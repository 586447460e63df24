package rest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// sampleRecords is how many records are looked at: few systems describe themselves, but all show what they have.
const sampleRecords = 50

// discovery is a definition's `discover`: there is nothing to say.
type discovery struct{}

var _ connectors.Discoverer = (*conn)(nil)

// Params implements connectors.Statement.
func (discovery) Params() []string { return nil }

func compileDiscovery(v any) (connectors.Statement, error) {
	if m, ok := v.(map[string]any); !ok || len(m) > 0 {
		return nil, fmt.Errorf("discover: the rest driver looks at records, and has no members there")
	}
	return discovery{}, nil
}

// Discover implements connectors.Discoverer: the members of the first records that the list gives.
func (c *conn) Discover(ctx context.Context, d connectors.Discovery) (connectors.Findings, error) {
	var out connectors.Findings
	list, ok := d.List.(*statement)
	if !ok {
		return out, connectors.Misuse("the statement was compiled by another driver: %T", d.List)
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return out, err
	}
	defer c.lanes.Leave(lane.Calls)
	records, err := c.firstPage(ctx, connectors.Read{Statement: list, Vars: d.Vars, Limit: sampleRecords})
	if err != nil {
		return out, err
	}
	used := list.paths(d.Used)
	seen := map[string]*sighting{}
	for _, record := range records[:min(len(records), sampleRecords)] {
		members, isObject := record.(map[string]any)
		if !isObject {
			continue
		}
		out.Records++
		for name, v := range members {
			if used[name] || len(seen) > 10*d.Limit {
				continue
			}
			if seen[name] == nil {
				seen[name] = &sighting{}
			}
			seen[name].see(v, c.protocol.times)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if len(out.Columns) == d.Limit {
			out.More = true
			break
		}
		out.Columns = append(out.Columns, seen[name].found(name))
	}
	return out, nil
}

// firstPage gives the records of the first page as the system wrote them.
func (c *conn) firstPage(ctx context.Context, r connectors.Read) ([]any, error) {
	q, err := c.plan(r)
	if err != nil {
		return nil, err
	}
	w := &walk{q: q, seen: map[[sha256.Size]byte]bool{}}
	if err := w.begin(); err != nil {
		return nil, err
	}
	_, records, err := w.fetch(ctx)
	return records, err
}

// paths are the first steps of what columns come from.
func (s *statement) paths(columns []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range columns {
		if c, known := s.columns[name]; known && !c.header && !c.parent {
			first, _, _ := strings.Cut(c.path, ".")
			out[first] = true
		}
	}
	return out
}

// sighting is what the values of a member were.
type sighting struct {
	kinds  []string
	filled int
}

func (s *sighting) see(v any, t times) {
	kind := ""
	switch v := v.(type) {
	case nil:
	case bool:
		kind = "boolean"
	case json.Number:
		kind = "decimal"
		if strings.Trim(v.String(), "-0123456789") == "" {
			kind = "integer"
		}
	case string:
		if v != "" {
			kind = kindOfText(v, t)
		}
	case []any:
		kind = "list"
	default:
		kind = "object"
	}
	if kind == "" {
		return
	}
	if s.filled++; !slices.Contains(s.kinds, kind) {
		s.kinds = append(s.kinds, kind)
	}
}

// kindOfText finds times, in the protocol's layout, and days.
func kindOfText(v string, t times) string {
	if _, err := time.Parse(t.instant, v); err == nil {
		return "instant"
	}
	if _, err := time.Parse(time.DateOnly, v); err == nil {
		return "date"
	}
	return "string"
}

// found says what all values were; of a member without any it can only be guessed.
func (s *sighting) found(name string) connectors.Found {
	slices.Sort(s.kinds)
	f := connectors.Found{Name: name, Type: strings.Join(s.kinds, " or "), Filled: s.filled}
	switch {
	case !memberName.MatchString(name) || slices.Contains(s.kinds, "list") || slices.Contains(s.kinds, "object"):
	case len(s.kinds) == 0:
		f.Native = "string"
	case len(s.kinds) == 1:
		f.Native = s.kinds[0]
	case slices.Equal(s.kinds, []string{"decimal", "integer"}):
		f.Native = "decimal"
	default:
		f.Native = "string"
	}
	return f
}

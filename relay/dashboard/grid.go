package dashboard

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Bounds of a table of records: what is more is in the JSON.
const (
	maxColumns = 9
	maxCell    = 60  // characters
	maxValue   = 300 // characters, where a record is shown alone
)

// grid is records as a table.
type grid struct {
	Columns []string
	Rows    [][]cell
	Left    int // columns that are left out
}

// cell is one value, for people.
type cell struct {
	Text  string
	Path  string // where the value leads: to a record, by the console; "": nowhere
	Quiet bool   // there is no value
}

// member is one of a record's, in the record's order.
type member struct {
	Name  string
	Value json.RawMessage
}

type record []member

// recordOf reads an object without losing its order.
func recordOf(raw []byte) (r record, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err = d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{Name: fmt.Sprint(name)}
		if err := d.Decode(&m.Value); err != nil {
			return nil, err
		}
		r = append(r, m)
	}
	return r, nil
}

// gridOf lays records side by side: the columns are the members that hold something, plain ones first.
func gridOf(all []json.RawMessage, can entityCapabilities, about headed, entity string) (*grid, error) {
	var records []record
	for _, raw := range all {
		r, err := recordOf(raw)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	g := &grid{Columns: columnsOf(records)}
	if g.Left = len(g.Columns) - maxColumns; g.Left > 0 {
		g.Columns = g.Columns[:maxColumns]
	}
	for _, r := range records {
		var row []cell
		for _, name := range g.Columns {
			at := slices.IndexFunc(r, func(m member) bool { return m.Name == name })
			if at < 0 {
				row = append(row, cell{Quiet: true})
				continue
			}
			row = append(row, cellOf(r[at], can, about, entity, maxCell))
		}
		g.Rows = append(g.Rows, row)
	}
	return g, nil
}

func columnsOf(records []record) (names []string) {
	var plain, nested []string
	for _, r := range records {
		for _, m := range r {
			switch known := slices.Contains(plain, m.Name) || slices.Contains(nested, m.Name); {
			case known || string(m.Value) == "null" || strings.HasPrefix(m.Name, "_"):
			case m.Value[0] == '{' || m.Value[0] == '[':
				nested = append(nested, m.Name)
			default:
				plain = append(plain, m.Name)
			}
		}
	}
	slices.SortStableFunc(plain, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return append(plain, nested...)
}

// rank puts first what people know a record by.
func rank(name string) int {
	known := []string{"id", "number", "code", "name", "title", "status"}
	if at := slices.Index(known, name); at >= 0 {
		return at
	}
	return len(known)
}

// upright lays one record out, a row for each member.
func (r record) upright(can entityCapabilities, about headed) *grid {
	g := &grid{Columns: []string{"field", "value"}}
	for _, m := range r {
		g.Rows = append(g.Rows, []cell{{Text: m.Name}, cellOf(m, can, about, "", maxValue)})
	}
	return g
}

// cellOf words a value. An id leads to its record, and so does a reference to another entity.
func cellOf(m member, can entityCapabilities, about headed, entity string, most int) cell {
	text := string(m.Value)
	var s string
	switch {
	case text == "null":
		return cell{Quiet: true}
	case json.Unmarshal(m.Value, &s) == nil:
		text = s
	case m.Value[0] == '[':
		var list []json.RawMessage
		if json.Unmarshal(m.Value, &list) == nil && (len(list) == 0 || list[0][0] == '{') {
			text = fmt.Sprintf("%d in the list", len(list))
		}
	}
	c := cell{Text: cutTo(text, most), Quiet: text == ""}
	if ref := can.Fields[m.Name].Ref; ref != "" {
		entity = ref
	} else if m.Name != "id" {
		entity = ""
	}
	if entity != "" && text != "" {
		c.Path = about.Path() + "/console?" + url.Values{"entity": {entity}, "run": {"get"}, "id": {text}}.Encode() + "#result"
	}
	return c
}

// cutTo shortens a text.
func cutTo(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

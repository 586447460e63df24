package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// printed runs do with a frame and gives the answer.
func printed(do func(*Frame)) string {
	var out bytes.Buffer
	do(New(Program{Name: "gantry-test"}, strings.NewReader(""), &out, &out))
	return out.String()
}

func TestTable(t *testing.T) {
	long := "the server closed the connection before it had answered, which it does when it is overloaded"
	id := "con_01JABCDEFGHJKMNPQRSTVWXYZ0"
	for _, tt := range []struct {
		name string
		rows [][]string
		want string
	}{
		{"narrow", [][]string{{"A", "B"}, {"one", "two"}, {"", "three"}}, "" +
			"A    B\n" +
			"one  two\n" +
			"     three\n"},
		{"the last column wraps", [][]string{{"NAME", "ERROR"}, {"erp", long}}, "" +
			"NAME  ERROR\n" +
			"erp   the server closed the connection before it had answered, which it does\n" +
			"      when it is overloaded\n"},
		{"columns go onto a second line", [][]string{{"NAME", "SYSTEM", "ID", "SITE", "NOTE"}, {"erp", "adventureworks", id, id, "good"}}, "" +
			"NAME  SYSTEM          ID\n" +
			"  SITE                            NOTE\n" +
			"erp   adventureworks  " + id + "\n" +
			"  " + id + "  good\n"},
		{"a word that fits nowhere is not broken", [][]string{{"A", "B"}, {"x", strings.Repeat("y", 100)}}, "" +
			"A\n" +
			"  B\n" +
			"x\n" +
			"  " + strings.Repeat("y", 100) + "\n"},
		{"colours have no width", [][]string{{"\x1b[32mok\x1b[0m", "a"}, {"failed", "b"}}, "" +
			"\x1b[32mok\x1b[0m      a\n" +
			"failed  b\n"},
		{"an empty column is not shown", [][]string{{"A", "B", "C"}, {"one", "", "two"}, {"three", "", ""}}, "" +
			"A      C\n" +
			"one    two\n" +
			"three\n"},
		{"short rows", [][]string{{"a"}, {"b", "c"}}, "a\nb  c\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := printed(func(f *Frame) { f.Table(tt.rows[0], tt.rows[1:]) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryTableFits(t *testing.T) {
	for columns := 1; columns < 9; columns++ {
		for size := 1; size <= 30; size++ {
			row := make([]string, columns)
			for i := range row {
				row[i] = strings.Repeat(string(rune('a'+i)), 1+(size*(i+3))%40)
			}
			got := printed(func(f *Frame) { f.Rows("  ", [][]string{row, row}) })
			for line := range strings.Lines(got) {
				if n := width(strings.TrimSuffix(line, "\n")); n > Columns {
					t.Fatalf("%d columns of sizes from %d: a line of %d:\n%s", columns, size, n, got)
				}
			}
			for _, cell := range row {
				if strings.Count(got, cell) < 2 {
					t.Fatalf("%q is lost:\n%s", cell, got)
				}
			}
		}
	}
}

func TestAnswerTable(t *testing.T) {
	titles := []string{"ID"}
	document := map[string]int{"schema": 1}
	if got := printed(func(f *Frame) { f.AnswerTable(document, "None.", titles, nil) }); got != "None.\n" {
		t.Errorf("empty: %q", got)
	}
	got := printed(func(f *Frame) {
		f.JSON = true
		f.AnswerTable(document, "None.", titles, [][]string{{"x"}})
	})
	if got != "{\n  \"schema\": 1\n}\n" {
		t.Errorf("--json: %q", got)
	}
}

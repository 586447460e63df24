package sqldriver

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lexisOf(t testing.TB, name string) lexis {
	t.Helper()
	d, ok := findDialect(name)
	if !ok {
		t.Fatalf("no dialect %s", name)
	}
	return d.lexis()
}

func TestLexFindsParameters(t *testing.T) {
	for _, test := range []struct {
		name, dialect, sql string
		params             []string
	}{
		{"plain", "postgres", "SELECT :a, :b_1 FROM t WHERE c=:a", []string{"a", "b_1", "a"}},
		{"cast", "postgres", "SELECT :a::int, b::text", []string{"a"}},
		{"quotes", "postgres", `SELECT ':x', 'it''s :x', ":x", "a"":x"`, nil},
		{"escape string", "postgres", `SELECT E'\':x', :a`, []string{"a"}},
		{"no escape without E", "postgres", `SELECT 'C:\', :a, 'x'`, []string{"a"}},
		{"name that ends with e", "postgres", `SELECT date'C:\', :a, 'x'`, []string{"a"}},
		{"dollar quotes", "postgres", `SELECT $$ :x $$, $tag$ :x $$ $tag$, :a`, []string{"a"}},
		{"nested comment", "postgres", "SELECT /* :x /* :x */ :x */ :a -- :x\n, :b", []string{"a", "b"}},
		{"array slice", "postgres", "SELECT a[1:2]", nil},
		{"json operators", "postgres", "SELECT a ? 'x', b @> :a", []string{"a"}},
		{"backslash", "mysql", `SELECT 'it\'s :x', "\":x", :a`, []string{"a"}},
		{"backtick", "mysql", "SELECT `:x`, `a``:x`, :a # :x", []string{"a"}},
		{"assignment", "mysql", "SELECT @a := :b, @@version", []string{"b"}},
		{"flat comment", "mysql", "SELECT /* /* :x */ :a", []string{"a"}},
		{"brackets", "sqlserver", "SELECT [:x], [a]]:x], :a, @x, @@ROWCOUNT", []string{"a"}},
		{"q quotes", "oracle", `SELECT q'[it's :x]', nq'!it's :x!', :a FROM dual`, []string{"a"}},
		{"block", "oracle", "BEGIN pkg.run(:a); pkg.run(:b); END;", []string{"a", "b"}},
		{"trailing semicolon", "sqlite", "SELECT :a; -- done\n/* :x */ ;", []string{"a"}},
		{"number", "sqlite", "SELECT 1e5, 0x1F, t1.a, :ä", []string{"ä"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := lex(test.sql, lexisOf(t, test.dialect))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range out.pieces {
				if p.param != "" {
					got = append(got, p.param)
				}
			}
			if diff := cmp.Diff(test.params, got); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLexRefuses(t *testing.T) {
	for _, test := range []struct{ name, dialect, sql, says string }{
		{"two statements", "postgres", "SELECT 1; DELETE FROM po", "only one statement"},
		{"two statements behind a comment", "mysql", "SELECT 1; -- x\nDELETE FROM po", "only one statement"},
		{"open quote", "sqlite", "SELECT\n'abc", "line 2: a quote ' is never closed"},
		{"open comment", "postgres", "SELECT /* /* */", "a comment is never closed"},
		{"open dollar quote", "postgres", "SELECT $x$ abc $$", "never closed"},
		{"open bracket", "sqlserver", "SELECT [a", "never closed"},
		{"open q quote", "oracle", "SELECT q'[a]", "never closed"},
		{"question mark", "mysql", "SELECT ?", "write a parameter as :name"},
		{"number", "postgres", "SELECT $1", "write a parameter as :name"},
		{"at", "sqlserver", "SELECT @p1", "write a parameter as :name"},
		{"empty", "sqlite", " -- nothing\n ", "empty"},
		{"nul", "sqlite", "SELECT 'a\x00'", "NUL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := lex(test.sql, lexisOf(t, test.dialect))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, expected a word of %q", err, test.says)
			}
		})
	}
}

// FuzzLex checks that the pieces give the statement back, and that what the lexer passes it passes again.
func FuzzLex(f *testing.F) {
	for _, seed := range []string{
		"SELECT :a", "SELECT E'\\':x', :a", "SELECT $t$ :x $t$", "q'[it's]' :a", "/* /* */ */ x", "BEGIN a; END;",
		"SELECT [a]]b], `c`, \"d\" # e", "a::b :=c ::", "SELECT 1 ; ; -- x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, d := range dialects() {
			out, err := lex(src, d.lexis())
			if err != nil {
				continue
			}
			var again strings.Builder
			for _, p := range out.pieces {
				if p.param != "" {
					again.WriteString(":")
				}
				again.WriteString(p.text + p.param)
			}
			if !strings.HasPrefix(src, again.String()) {
				t.Fatalf("%s: the pieces of %q give %q", d.name(), src, again.String())
			}
			second, err := lex(again.String(), d.lexis())
			if err != nil {
				t.Fatalf("%s: %q passes, its own pieces do not: %v", d.name(), src, err)
			}
			if diff := cmp.Diff(out.pieces, second.pieces, cmp.AllowUnexported(piece{})); diff != "" {
				t.Fatalf("%s: %q\n%s", d.name(), src, diff)
			}
		}
	})
}

package definition

import (
	"runtime"
	"strings"
	"testing"
)

// TestHostileExpressions gives expressions that would take a machine's time or memory a text that a caller may send: each
// ends with an error, and holds little meanwhile.
func TestHostileExpressions(t *testing.T) {
	env, err := newEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	ten := "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
	nested := "true"
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		nested = ten + ".all(" + name + ", " + nested + ")"
	}
	scope := Scope{"input": map[string]any{"t": strings.Repeat("a", 1<<20)}}
	for name, text := range map[string]string{
		"loops in loops": nested,
		"a long range":   "lists.range(1000000000).exists(x, x < 0)",
		"replace":        "input.t.replace('', input.t).size() > 1",
		"replace n":      "input.t.replace('a', input.t, 1000).size() > 1",
		"replace twice":  "input.t.replace('a', 'bb').size() > 1",
		"join":           "lists.range(300).map(x, input.t).join().size() > 1",
		"join with":      "['', '', ''].join(input.t).size() > 1",
		"split":          "input.t.split('').size() > 1",
		"split n":        "input.t.split('', 20000).size() > 1",
		"pattern":        "input.t.matches('(a+)+(a+)+(a+)+b')",
	} {
		t.Run(name, func(t *testing.T) {
			x, err := env.condition(text)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = x.Holds(t.Context(), scope)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("it was evaluated")
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("it took %d MiB: %v", took>>20, err)
			}
			t.Log(err)
		})
	}
}

// TestStringFunctions shows that the bounded functions do what CEL's own do.
func TestStringFunctions(t *testing.T) {
	env, err := newEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"'a,b,c'.replace(',', ';') == 'a;b;c'", "'a,b,c'.replace(',', '', 1) == 'ab,c'", "'aaa'.replace('a', 'b', 0) == 'aaa'",
		"'a,b,c'.split(',') == ['a', 'b', 'c']", "'a,b,c'.split(',', 2) == ['a', 'b,c']", "'a'.split(',', 0) == []",
		"['a', 'b'].join() == 'ab'", "['a', 'b'].join('-') == 'a-b'", "[].join('-') == ''", "['', 'b'].join('-') == '-b'",
		"' x '.trim() == 'x'", "'Größe'.substring(2) == 'öße'", "'Ab'.lowerAscii() == 'ab'", "lists.range(3) == [0, 1, 2]",
	} {
		x, err := env.condition(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if yes, err := x.Holds(t.Context(), Scope{}); !yes || err != nil {
			t.Errorf("%s: %v, %v", text, yes, err)
		}
	}
}

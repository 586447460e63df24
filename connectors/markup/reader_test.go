package markup

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func mustRoute(t testing.TB, text string) *Route {
	t.Helper()
	r, err := CompileRoute(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(t testing.TB, n *Node, path string) string {
	t.Helper()
	p, err := CompilePath(path)
	if err != nil {
		t.Fatal(err)
	}
	text, ok, err := p.Text(n)
	if err != nil || !ok {
		return "-"
	}
	return text
}

func TestReader(t *testing.T) {
	const document = `<?xml version="1.0" encoding="iso-8859-1"?><o:Orders xmlns:o="urn:o" plant="7"><Head><By>M` + "\xfc" + `ller</By></Head>
<Order id="1"><Number>A</Number><Line n="1">x &amp; y</Line><Line n="2"/></Order>
<Order id="2"><Number>B</Number><Line n="1"/></Order></o:Orders>`
	for _, test := range []struct {
		route, path string
		want        []string
	}{
		{"/Orders/Order", "Number", []string{"A", "B"}},
		{"/Orders/Order", "@id", []string{"1", "2"}},
		{"/Orders/Order", "../@plant", []string{"7", "7"}},
		{"/Orders/Order", "../Head/By", []string{"Müller", "Müller"}},
		{"/Orders/Order", "count(Line)", []string{"2", "1"}},
		{"/Orders/Order/Line", "../Number", []string{"A", "A", "B"}},
		{"/Orders/Order/Line", ".", []string{"x & y", "", ""}},
		{"/Orders/Order", "Missing", []string{"-", "-"}},
		{"/Orders", "Order[2]/Number", []string{"B"}},
	} {
		r := NewReader(strings.NewReader(document), mustRoute(t, test.route), 1<<20)
		var got []string
		for {
			n, line, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || line < 1 {
				t.Fatalf("%s: line %d: %v", test.route, line, err)
			}
			got = append(got, text(t, n, test.path))
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s %s: got %q, want %q", test.route, test.path, got, test.want)
		}
	}
}

func all(r *Reader) (count int, err error) {
	for {
		if _, _, err = r.Next(); err != nil {
			return count, err
		}
		count++
	}
}

func TestReaderRefuses(t *testing.T) {
	deep := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	for name, test := range map[string]struct{ document, want string }{
		"half":             {"<Orders>\n<Order><N>1</N></Order>\n<Order><N>", "line 3"},
		"cut at a border":  {"<Orders>\n<Order/>\n", "EOF"},
		"nothing":          {"", "ends before"},
		"another document": {"<Invoices/>", "not a Orders"},
		"document type":    {`<!DOCTYPE Orders [<!ENTITY a "b">]><Orders/>`, "document type"},
		"inner type":       {`<Orders><Order><!DOCTYPE x></Order></Orders>`, "document type"},
		"entity":           {"<Orders><Order>&bomb;</Order></Orders>", "entity"},
		"too deep":         {"<Orders><Order>" + deep + "</Order></Orders>", "deeper"},
		"too large":        {"<Orders><Order>" + strings.Repeat("x", 100_000) + "</Order></Orders>", "larger"},
		"endless tag":      {"<Orders><Order " + strings.Repeat("x", 100_000), "larger"},
		"attributes":       {"<Orders><Order " + manyAttributes(300) + "/></Orders>", "attributes"},
		"second document":  {"<Orders/><Orders/>", "second"},
		"text after":       {"<Orders/>more", "outside"},
	} {
		_, err := all(NewReader(strings.NewReader(test.document), mustRoute(t, "/Orders/Order"), 50_000))
		if err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	broken := errors.New("the line is down")
	_, err := all(NewReader(io.MultiReader(strings.NewReader("<Orders><Order>"), failing{broken}), mustRoute(t, "/Orders/Order"), 50_000))
	if !errors.Is(err, broken) {
		t.Errorf("an error of the source became %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d='x'", i)
	}
	return b.String()
}

// endless gives records without end.
type endless struct{ sent bool }

func (e *endless) Read(p []byte) (int, error) {
	if !e.sent {
		e.sent = true
		return copy(p, "<Orders>"), nil
	}
	return copy(p, "<Order><Number>1</Number></Order>"), nil
}

func TestReaderHoldsOneRecord(t *testing.T) {
	r := NewReader(io.LimitReader(&endless{}, 3<<20), mustRoute(t, "/Orders/Order"), 1<<20)
	count, err := all(r)
	if _, ok := errors.AsType[*Fault](err); !ok || count < 90_000 {
		t.Fatalf("%d records, %v", count, err)
	}
	if held := r.open; held.FirstChild != nil && held.FirstChild != held.LastChild {
		t.Error("the parent holds more than the last record")
	}
}

func TestRoutes(t *testing.T) {
	for _, bad := range []string{"", "/", "//Order", "/a/@b", "/a[1]", "/a/../b", strings.Repeat("/a", 17)} {
		if _, err := CompileRoute(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, bad := range []string{"", "a[", "nosuch(1)", "a|b", "a[last()]", "ancestor::a", strings.Repeat("a", 400)} {
		if _, err := CompilePath(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`<Orders><Order id="1"><N>1</N></Order></Orders>`))
	f.Add([]byte(`<?xml version="1.0" encoding="utf-16"?><Orders/>`))
	f.Add([]byte("<Orders><x><Order/></x><!-- a --><Order>&lt;</Order></Orders>"))
	route := mustRoute(f, "/Orders/Order")
	path, err := CompilePath("concat(N, @id, ../x, count(*), N[2])")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		r := NewReader(strings.NewReader(string(document)), route, 1<<16)
		for {
			n, _, err := r.Next()
			if err != nil {
				break
			}
			if _, _, err := path.Text(n); err != nil {
				t.Fatal(err)
			}
		}
		if root, err := Parse(document); err == nil && root.FirstChild == nil {
			t.Fatal("a document without an element")
		}
	})
}

package files_test

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/conformance"
)

// steps are the suite's statements: a part that is written is a file of its own, as an order is.
var steps = conformance.Steps{
	All:       query("parts", "part-*.csv", nil),
	One:       query("parts", "part-*.csv", map[string]any{"part_id": ":part_id"}),
	Insert:    insert(nil),
	Returning: insert([]any{"part_id"}),
	Slow: map[string]any{
		"folder": "parts", "files": "part-*.csv", "show": "all", "settle": "1m", "columns": map[string]any{"part_id": "id as integer"},
	},
	Many:   map[string]any{"folder": "many", "files": "many.csv", "settle": "0s", "columns": map[string]any{"i": "i as integer"}},
	Writes: insert(nil),
}

var columns = map[string]any{
	"part_id": "id as integer", "name": "name", "price": "price as decimal", "category": "category", "modified": "modified as datetime",
}

func query(folder, pattern string, where map[string]any) map[string]any {
	q := map[string]any{
		"folder": folder, "files": pattern, "show": "all", "settle": "0s", "encoding": "windows-1252", "separator": ";", "decimal": ",",
		"datetimes": "DD.MM.YYYY HH:mm:SS", "columns": columns,
	}
	if where != nil {
		q["where"] = where
	}
	return q
}

func insert(result []any) map[string]any {
	w := map[string]any{
		"folder": "parts", "write": "part-{part_id}.csv", "encoding": "windows-1252", "separator": ";", "decimal": ",",
		"datetimes": "DD.MM.YYYY HH:mm:SS", "header": []any{"id", "name", "price", "category", "modified"}, "columns": columns,
	}
	if result != nil {
		w["result"] = result
	}
	return w
}

// fill makes the suite's folders. The files are written by another hand than the driver's.
func fill(t testing.TB, root string) {
	t.Helper()
	for _, folder := range []string{"parts", "many"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(root, "parts", "part-1.csv"), written(conformance.Parts(1)))
	put(t, filepath.Join(root, "parts", "part-rest.csv"), written(conformance.Parts(conformance.PartCount)[1:]))
	many := filepath.Join(root, "many", "many.csv")
	if os.Link(million(t), many) == nil {
		return
	}
	text, err := os.ReadFile(million(t)) // it lies on another file system
	if err != nil {
		t.Fatal(err)
	}
	put(t, many, string(text))
}

// written is a file of parts, in the form of the suite's statements.
func written(parts []connectors.Row) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	_ = w.Write([]string{"ID", "Name", "Price", "Category", "Modified"}) // a Builder takes everything
	for _, part := range parts {
		category, _ := part["category"].(string)
		price := strings.Replace(part["price"].(string), ".", ",", 1)
		name := strings.NewReplacer("ö", "\xf6", "ß", "\xdf").Replace(part["name"].(string))
		_ = w.Write([]string{fmt.Sprint(part["part_id"]), name, price, category, part["modified"].(time.Time).Format("02.01.2006 15:04:05")})
	}
	w.Flush()
	return b.String()
}

func put(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

var million = func() func(testing.TB) string {
	var once sync.Once
	var name string
	return func(t testing.TB) string {
		once.Do(func() {
			name = filepath.Join(shared, "million.csv")
			f, err := os.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			w := bufio.NewWriter(f)
			fmt.Fprintln(w, "i")
			for i := range 1_000_000 {
				fmt.Fprintln(w, i)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		})
		return name
	}
}()

// shared is a folder for all tests, on the file system of their own folders.
var shared string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if shared, err = os.MkdirTemp("", "gantry-drop-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(shared)
	return m.Run()
}

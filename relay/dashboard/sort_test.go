package dashboard

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func sortingOf(address string) sorting {
	v := visit{r: httptest.NewRequest(http.MethodGet, address, nil)}
	return v.sorting("name")
}

func TestColumns(t *testing.T) {
	for address, want := range map[string]column{
		"/sites":                       {Name: "Name", Path: "/sites?order=-name", Sort: "ascending"},
		"/sites?order=-name":           {Name: "Name", Path: "/sites?", Sort: "descending"},
		"/sites?order=age&q=a&cursor=": {Name: "Name", Path: "/sites?q=a"},
	} {
		if got := sortingOf(address).Column("name", "Name"); got != want {
			t.Errorf("%s: %+v, want %+v", address, got, want)
		}
	}
}

func TestOrder(t *testing.T) {
	type row struct {
		name  string
		count int
		at    *time.Time
	}
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	by := map[string]func(a, b row) int{
		"name": byText(func(r row) string { return r.name }), "count": byNumber(func(r row) int { return r.count }), "at": byTime(func(r row) *time.Time { return r.at }),
	}
	for address, want := range map[string]string{
		"/": "aBc", "/?order=-name": "cBa", "/?order=count": "cBa", "/?order=at": "caB", "/?order=-at": "Bac", "/?order=colour": "Bac",
	} {
		rows := []row{{"B", 2, &late}, {"a", 3, &early}, {"c", 1, nil}}
		order(sortingOf(address), rows, by)
		got := slices.Collect(func(yield func(string) bool) {
			for _, r := range rows {
				yield(r.name)
			}
		})
		if got[0]+got[1]+got[2] != want {
			t.Errorf("%s: %v, want %s", address, got, want)
		}
	}
}

package dashboard

import (
	"net/url"
	"testing"
)

func TestLeaf(t *testing.T) {
	rows := make([]int, 250)
	for n := range rows {
		rows[n] = n + 1
	}
	for address, want := range map[string]leaf{
		"/credits":               {From: 1, To: 100, All: 250, Next: "/credits?page=2"},
		"/credits?page=2&order=": {From: 101, To: 200, All: 250, Before: "/credits?order=&page=1", Next: "/credits?order=&page=3"},
		"/credits?page=3":        {From: 201, To: 250, All: 250, Before: "/credits?page=2"},
		"/credits?page=4":        {From: 1, To: 100, All: 250, Next: "/credits?page=2"},
		"/credits?page=-1":       {From: 1, To: 100, All: 250, Next: "/credits?page=2"},
	} {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		part, got := leafed(parsed, rows)
		if got != want || part[0] != want.From || part[len(part)-1] != want.To {
			t.Errorf("%s: %+v of %d rows, want %+v", address, got, len(part), want)
		}
	}
	if part, got := leafed(&url.URL{}, []int(nil)); len(part) != 0 || got.Next+got.Before != "" {
		t.Errorf("an empty list: %+v", got)
	}
}

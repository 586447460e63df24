package dashboard

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// creditsPage is the pool, and a page of who uses it.
type creditsPage struct {
	credits
	Sorted sorting
	Shown  []connection
	Pager  pager
}

func (v *visit) credits() error {
	p := creditsPage{Sorted: v.sorting("-credits")}
	if err := v.get("/credits?limit=1", &p.credits); err != nil { // the connections know what they use, and are sorted
		return err
	}
	asked := filled("state", "current", "order", p.Sorted.order, "cursor", v.r.URL.Query().Get("cursor"), "limit", strconv.Itoa(leafSize))
	var found list[connection]
	if err := v.get("/connections?"+asked.Encode(), &found); err != nil {
		return err
	}
	p.Shown, p.Pager = found.Data, v.pager("cursor", after(found.Next))
	v.show(http.StatusOK, "credits", "Credits", p)
	return nil
}

// auditPage is what was changed, the last first.
type auditPage struct {
	Sorted  sorting
	Entries []entry
	Pager   pager
}

func (v *visit) audit() error {
	p := auditPage{Sorted: v.sorting("-at")}
	asked := filled("before", v.r.URL.Query().Get("before"), "last", strconv.Itoa(leafSize+1)) // one more tells whether there are more
	var page list[entry]
	if err := v.get("/audit?"+asked.Encode(), &page); err != nil {
		return err
	}
	next := ""
	if p.Entries = page.Data; len(p.Entries) > leafSize {
		p.Entries = p.Entries[1:]
		next = p.Entries[0].ID
	}
	p.Pager = v.pager("before", next)
	order(p.Sorted, p.Entries, map[string]func(a, b entry) int{
		"at": byTime(func(e entry) *time.Time { return e.At }), "who": byText(func(e entry) string { return e.Actor.Name }),
		"what": byText(func(e entry) string { return e.Action }), "result": byText(func(e entry) string { return e.Result }),
	})
	v.show(http.StatusOK, "audit", "Audit", p)
	return nil
}

// keysPage lists the keys, with the token of one that was just made.
type keysPage struct {
	Keys   []key
	Made   *key // nil: none was
	Sorted sorting
	Leaf   leaf
}

func (v *visit) keys() error { return v.showKeys(nil) }

func (v *visit) showKeys(made *key) error {
	all, err := everything[key](v.caller, "/keys")
	if err != nil {
		return err
	}
	p := keysPage{Made: made, Sorted: v.sorting("-made")}
	order(p.Sorted, all, map[string]func(a, b key) int{
		"state": byText(key.State), "name": byText(func(k key) string { return k.Name }), "role": byText(func(k key) string { return k.Role }),
		"made": byText(func(k key) string { return k.ID }), "ends": byTime(func(k key) *time.Time { return k.ExpiresAt }),
	})
	p.Keys, p.Leaf = leafed(v.r.URL, all)
	v.show(http.StatusOK, "keys", "Keys", p)
	return nil
}

// addKey makes a key and shows its token this once.
func (v *visit) addKey() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 4<<10)
	var made key
	wish := map[string]string{"name": v.r.PostFormValue("name"), "role": v.r.PostFormValue("role")}
	if err := v.call(http.MethodPost, "/keys", wish, &made); err != nil {
		return err
	}
	return v.showKeys(&made)
}

func (v *visit) revokeKey() error {
	return v.then(v.call(http.MethodDelete, "/keys/"+url.PathEscape(v.r.PathValue("id")), nil, nil), "/keys")
}

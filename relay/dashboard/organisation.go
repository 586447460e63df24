package dashboard

import (
	"net/http"
	"net/url"
	"time"
)

// creditsPage is the pool, and who uses it.
type creditsPage struct {
	credits
	Sorted sorting
	Shown  []used
	Leaf   leaf
}

func (v *visit) credits() error {
	var c credits
	if err := v.get("/credits", &c); err != nil {
		return err
	}
	p := creditsPage{credits: c, Sorted: v.sorting("-credits")}
	order(p.Sorted, c.ByConnection, map[string]func(a, b used) int{
		"name": byText(func(u used) string { return u.Name }), "system": byText(func(u used) string { return u.System }),
		"credits": byNumber(func(u used) int { return u.Credits }),
	})
	p.Shown, p.Leaf = leafed(v.r.URL, c.ByConnection)
	v.show(http.StatusOK, "credits", "Credits", p)
	return nil
}

// auditPage is what was changed last.
type auditPage struct {
	Sorted  sorting
	Entries []entry
}

func (v *visit) audit() error {
	var page list[entry]
	if err := v.get("/audit?last=100", &page); err != nil {
		return err
	}
	p := auditPage{v.sorting("-at"), page.Data}
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

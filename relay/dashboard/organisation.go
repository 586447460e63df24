package dashboard

import (
	"net/http"
	"net/url"
	"slices"
)

func (v *visit) credits() error {
	var c credits
	if err := v.get("/credits", &c); err != nil {
		return err
	}
	v.show(http.StatusOK, "credits", "Credits", c)
	return nil
}

func (v *visit) audit() error {
	var page list[entry]
	if err := v.get("/audit?last=100", &page); err != nil {
		return err
	}
	slices.Reverse(page.Data) // the newest first
	v.show(http.StatusOK, "audit", "Audit", page.Data)
	return nil
}

// keysPage lists the keys, with the token of one that was just made.
type keysPage struct {
	Keys []key
	Made *key // nil: none was
}

func (v *visit) keys() error { return v.showKeys(nil) }

func (v *visit) showKeys(made *key) error {
	all, err := everything[key](v.caller, "/keys")
	if err != nil {
		return err
	}
	slices.Reverse(all) // the newest first
	v.show(http.StatusOK, "keys", "Keys", keysPage{all, made})
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

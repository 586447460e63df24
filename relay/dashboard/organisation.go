package dashboard

import (
	"net/http"
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

package dashboard

import (
	"net/http"
	"net/url"
	"strings"
)

// disconnectPage says what a disconnect does, before it is done.
type disconnectPage struct {
	Connection connection
	Synced     []synced
	Typed      string // that is not the connection's name
}

// synced is one of GET /sync-status, as far as it matters here.
type synced struct {
	Entity  string `json:"entity"`
	Enabled bool   `json:"enabled"`
	Records int    `json:"records"`
}

func (v *visit) disconnectForm() error { return v.askDisconnect("") }

func (v *visit) askDisconnect(typed string) error {
	p := disconnectPage{Typed: typed}
	if err := v.get("/connections/"+url.PathEscape(v.r.PathValue("id")), &p.Connection); err != nil {
		return err
	}
	var all list[synced]
	if err := v.of(p.Connection.ID).get("/sync-status", &all); err != nil && refused(err) == nil {
		return err
	}
	p.Synced = all.Data
	status := http.StatusOK
	if typed != "" {
		status = http.StatusBadRequest
	}
	v.show(status, "disconnect", "Disconnect "+p.Connection.Name, p)
	return nil
}

// confirmed reports whether the connection's name was typed; else it has asked again.
func (v *visit) confirmed() (bool, error) {
	var c connection
	if err := v.get("/connections/"+url.PathEscape(v.r.PathValue("id")), &c); err != nil {
		return false, err
	}
	typed := v.r.PostFormValue("name")
	if strings.TrimSpace(typed) == c.Name {
		return true, nil
	}
	if typed == "" {
		typed = " "
	}
	return false, v.askDisconnect(typed)
}

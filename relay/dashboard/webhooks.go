package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

func (v *visit) webhooks() error {
	all, err := everything[webhook](v.caller, "/webhooks")
	if err != nil {
		return err
	}
	p := webhooksPage{Sorted: v.sorting("url")}
	order(p.Sorted, all, map[string]func(a, b webhook) int{
		"url": byText(func(w webhook) string { return w.URL }), "state": byText(func(w webhook) string { return w.State }),
		"delivered": byTime(func(w webhook) *time.Time { return w.LastSuccessAt }),
	})
	p.Webhooks, p.Leaf = leafed(v.r.URL, all)
	v.show(http.StatusOK, "webhooks", "Webhooks", p)
	return nil
}

// webhooksPage lists the webhooks.
type webhooksPage struct {
	Sorted   sorting
	Webhooks []webhook
	Leaf     leaf
}

// webhookPage is a webhook with its latest deliveries.
type webhookPage struct {
	Webhook    webhook
	Deliveries []delivery
	Secret     string // that was just made; "": none
}

func (v *visit) webhook() error { return v.showWebhook(v.r.PathValue("id"), "") }

func (v *visit) showWebhook(id, secret string) error {
	p := webhookPage{Secret: secret}
	path := "/webhooks/" + url.PathEscape(id)
	if err := v.get(path, &p.Webhook); err != nil {
		return err
	}
	var deliveries list[delivery]
	if err := v.get(path+"/deliveries?limit=50", &deliveries); err != nil {
		return err
	}
	p.Deliveries = deliveries.Data
	v.show(http.StatusOK, "webhook", "Webhook", p)
	return nil
}

// addWebhook makes one, and shows the secret this once.
func (v *visit) addWebhook() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 16<<10)
	events := strings.FieldsFunc(v.r.PostFormValue("events"), func(c rune) bool { return c == ',' || c == ' ' })
	wish := map[string]any{"url": v.r.PostFormValue("url"), "description": v.r.PostFormValue("description"), "events": events}
	var made webhook
	if err := v.call(http.MethodPost, "/webhooks", wish, &made); err != nil {
		return err
	}
	return v.showWebhook(made.ID, made.Secret)
}

// changeWebhook does one of the things that a webhook's page offers.
func (v *visit) changeWebhook() error {
	id := v.r.PathValue("id")
	path := "/webhooks/" + url.PathEscape(id)
	switch v.r.PathValue("deed") {
	case "rotate":
		var made webhook
		if err := v.call(http.MethodPost, path+"/rotate", nil, &made); err != nil {
			return err
		}
		return v.showWebhook(id, made.Secret)
	case "test":
		return v.then(v.call(http.MethodPost, path+"/test", nil, nil), path)
	case "delete":
		return v.then(v.call(http.MethodDelete, path, nil, nil), "/webhooks")
	}
	return fault.New(fault.NotFound, "There is no such thing to do.")
}

// resend sends a message once more.
func (v *visit) resend() error {
	path := "/webhooks/" + url.PathEscape(v.r.PathValue("id"))
	return v.then(v.call(http.MethodPost, path+"/deliveries/"+url.PathEscape(v.r.PathValue("delivery"))+"/resend", nil, nil), path)
}

// then goes to a page after something was done.
func (v *visit) then(err error, path string) error {
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

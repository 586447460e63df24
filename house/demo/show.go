package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gantry/house"
)

// act is one call of the show, and what must come of it.
type act struct {
	title   string
	as      *house.Client
	method  string
	path    string
	body    any
	headers []house.Header
	status  int
}

// record is what the show needs of a record.
type record struct {
	ID     string `json:"id"`
	Number string `json:"number"`
	ETag   string `json:"etag"`
}

// show makes the calls, reading first.
func (s *stage) show(ctx context.Context) error {
	for _, scene := range []func(context.Context) error{s.look, s.list, s.stream, s.order} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

// look asks what there is.
func (s *stage) look(ctx context.Context) error {
	if _, err := s.play(ctx, act{title: "What can be connected here?", as: s.admin, path: "/systems?site=" + s.site, status: 200}); err != nil {
		return err
	}
	_, err := s.play(ctx, act{title: "What may this connection do?", path: "/connection/capabilities", status: 200})
	return err
}

// list reads pages.
func (s *stage) list(ctx context.Context) error {
	for _, a := range []act{
		{title: "The machines, two of them, some fields", path: "/assets?limit=2&fields=code,name,status,manufacturer", status: 200},
		{title: "Filter: urgent work that is closed", path: "/work-orders?status=closed&priority=urgent&limit=1&fields=number,title,status,assignee", status: 200},
		{title: "Which orders changed since the middle of June?", path: "/purchase-orders?modified_after=2026-06-15T00:00:00Z&limit=2&fields=number,status,updated_at", status: 200},
	} {
		answer, err := s.play(ctx, a)
		if err != nil {
			return err
		}
		var page house.Page
		if err := answer.JSON(&page); err != nil {
			return err
		}
		if len(page.Data) == 0 {
			return fmt.Errorf("%s gave no records", a.path)
		}
	}
	first, err := s.play(ctx, act{title: "A page of orders", path: "/purchase-orders?limit=2&fields=number,status,total,currency", status: 200})
	if err != nil {
		return err
	}
	var page house.Page
	if err := first.JSON(&page); err != nil {
		return err
	}
	_, err = s.play(ctx, act{title: "The next page, by cursor", path: "/purchase-orders?limit=2&fields=number,status,total,currency&cursor=" + url.QueryEscape(page.NextCursor), status: 200})
	return err
}

// stream reads everything.
func (s *stage) stream(ctx context.Context) error {
	begin := time.Now()
	s.print.request("All of the work, as one stream", http.MethodGet, "/work-orders", []house.Header{{"Accept", "application/x-ndjson"}}, nil)
	bytes := 0
	count, err := s.client.Stream(ctx, "/work-orders", func(line []byte) error {
		bytes += len(line)
		return nil
	})
	if err != nil {
		return fmt.Errorf("stream the work orders: %w", err)
	}
	s.print.note(fmt.Sprintf("%d records, %d KiB, whole to the end line", count, bytes>>10), time.Since(begin))
	if count != 1500 {
		return fmt.Errorf("%d work orders came, not 1500", count)
	}
	return nil
}

// order gives an order its life: created, created again, changed, approved, and then locked.
func (s *stage) order(ctx context.Context) error {
	create := act{title: "Create an order with lines", method: http.MethodPost, path: "/purchase-orders", status: 201,
		headers: []house.Header{{"Idempotency-Key", "demo-order-1"}},
		body: map[string]any{"title": "Bearings for the drying section", "vendor_id": "7", "site_id": "1", "buyer": "Karin Sandell",
			"ordered_at": "2026-07-01T07:30:00Z", "lines": []map[string]string{
				{"item_id": "1", "quantity": "4", "price": "1250.00"}, {"item_id": "3", "quantity": "2.5", "price": "89.90"}}}}
	var made, again, changed record
	if _, err := s.playInto(ctx, create, &made); err != nil {
		return err
	}
	create.title = "The same request again: the same order, not a second one"
	replay, err := s.playInto(ctx, create, &again)
	if err != nil {
		return err
	}
	if replay.Header.Get("Idempotency-Replayed") != "true" || again.ID != made.ID {
		return fmt.Errorf("the second request made order %s, the first %s; Idempotency-Replayed is %q", again.ID, made.ID, replay.Header.Get("Idempotency-Replayed"))
	}
	path := "/purchase-orders/" + url.PathEscape(made.ID)
	if _, err := s.playInto(ctx, act{title: "Read it back", path: path + "?fields=number,status,net,total,lines", status: 200}, &again); err != nil {
		return err
	}
	etag := house.Header{"If-Match", `"` + strings.Trim(made.ETag, `"`) + `"`}
	update := act{title: "Change it, if nobody else did", method: http.MethodPatch, path: path, headers: []house.Header{etag},
		body: map[string]any{"buyer": "Nils Norén"}, status: 200}
	if _, err := s.playInto(ctx, update, &changed); err != nil {
		return err
	}
	for _, a := range []act{
		{title: "Change it by the old etag: refused", method: http.MethodPatch, path: path, headers: []house.Header{etag}, body: map[string]any{"buyer": "Maja Öhman"}, status: 412},
		{title: "Approve it", method: http.MethodPost, path: path + "/actions/approve", body: map[string]any{}, status: 200},
		{title: "Change the approved order: refused, with the reason", method: http.MethodPatch, path: path, body: map[string]any{"buyer": "Maja Öhman"}, status: 409},
	} {
		answer, err := s.play(ctx, a)
		if err != nil {
			return err
		}
		if p := answer.Problem(); a.status == 409 && (p == nil || p.Code != "RECORD_LOCKED") {
			return fmt.Errorf("%s: the code is not RECORD_LOCKED: %s", a.title, answer.Body)
		}
	}
	return nil
}

func (s *stage) playInto(ctx context.Context, a act, into any) (house.Answer, error) {
	answer, err := s.play(ctx, a)
	if err != nil {
		return answer, err
	}
	return answer, answer.JSON(into)
}

// play makes one call, prints it and its answer, and checks the status.
func (s *stage) play(ctx context.Context, a act) (house.Answer, error) {
	if a.as == nil {
		a.as = s.client
	}
	if a.method == "" {
		a.method = http.MethodGet
	}
	s.print.request(a.title, a.method, a.path, a.headers, a.body)
	answer, err := a.as.Do(ctx, a.method, a.path, a.body, a.headers...)
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", a.method, a.path, err)
	}
	s.print.answer(answer)
	if answer.Status != a.status {
		return answer, fmt.Errorf("%s %s answered %d, not %d", a.method, a.path, answer.Status, a.status)
	}
	return answer, nil
}

// invite says how to go on by hand.
func (s *stage) invite(ctx context.Context) error {
	link, err := s.signInLink(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nEverything stays up until Ctrl-C. The dashboard is at %s. This link signs in once:\n\n  %s\n\nTry the next call yourself:\n\n"+
		"  curl -sS -H 'Authorization: Bearer %s' '%s/api/v1/work-orders?status=in_progress&limit=3'\n\n"+
		"The organisation's key, for /sites, /connections and /credits:\n\n"+
		"  curl -sS -H 'Authorization: Bearer %s' '%s/api/v1/sites'\n\n"+
		"The plant's side: %s status --config %s\n", s.url, link, s.client.Token, s.url, s.admin.Token, s.url, s.program("gantry-agent"), s.path("agent.yaml"))
	return nil
}

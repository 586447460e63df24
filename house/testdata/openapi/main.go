// Command main makes the calls of `make demo` through the client that oapi-codegen made of the OpenAPI document: generated
// beside it, in a module of its own, by house/openapi_prove_test.go.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tour is who calls, and how often it did.
type tour struct {
	admin, client *ClientWithResponses
	site          string
	calls         int
}

func run(ctx context.Context) error {
	t := &tour{site: os.Getenv("SITE")}
	var err error
	if t.admin, err = t.as(os.Getenv("KEY")); err != nil {
		return err
	}
	for _, scene := range []func(context.Context) error{t.connect, t.look, t.list, t.stream, t.order} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("calls %d\n", t.calls)
	return nil
}

// as makes a client that calls with a token, and is counted.
func (t *tour) as(token string) (*ClientWithResponses, error) {
	return NewClientWithResponses(os.Getenv("RELAY")+"/api/v1", WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		t.calls++
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}))
}

// connect logs in to the plant's system.
func (t *tour) connect(ctx context.Context) error {
	settings := map[string]any{"path": os.Getenv("PLANT")}
	made, err := t.admin.ConnectionsCreateWithResponse(ctx, nil, ConnectionWish{Site: t.site, System: "demo-plant", Name: "generated", Settings: &settings})
	if err != nil {
		return err
	}
	if made.JSON201 == nil {
		return unexpected("connect", made.HTTPResponse, made.Body)
	}
	t.client, err = t.as(made.JSON201.Token)
	return err
}

func (t *tour) look(ctx context.Context) error {
	systems, err := t.admin.SystemsListWithResponse(ctx, &SystemsListParams{Site: &t.site})
	if err != nil {
		return err
	}
	if systems.JSON200 == nil || len(systems.JSON200.Data) == 0 {
		return unexpected("systems", systems.HTTPResponse, systems.Body)
	}
	may, err := t.client.ConnectionCapabilitiesWithResponse(ctx, nil)
	if err != nil {
		return err
	}
	if may.JSON200 == nil || !may.JSON200.Entities["purchase-orders"].Operations["create"].Allowed {
		return unexpected("capabilities", may.HTTPResponse, may.Body)
	}
	return nil
}

func (t *tour) list(ctx context.Context) error {
	limit, fields := 2, "code,name,status,manufacturer"
	assets, err := t.client.AssetsListWithResponse(ctx, &AssetsListParams{Limit: &limit, Fields: &fields})
	if err != nil {
		return err
	}
	if assets.JSON200 == nil || len(assets.JSON200.Data) != 2 || assets.JSON200.Data[0].Name == nil {
		return unexpected("assets", assets.HTTPResponse, assets.Body)
	}
	closed, urgent := WorkOrdersListParamsStatus("closed"), FiltersParameter{"priority": "urgent"}
	work, err := t.client.WorkOrdersListWithResponse(ctx, &WorkOrdersListParams{Status: &closed, Filters: &urgent, Limit: &limit})
	if err != nil {
		return err
	}
	if work.JSON200 == nil || len(work.JSON200.Data) == 0 || work.JSON200.Data[0].Status.Value != "closed" {
		return unexpected("work orders", work.HTTPResponse, work.Body)
	}
	since := time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC)
	return t.pages(ctx, &PurchaseOrdersListParams{ModifiedAfter: &since, Limit: &limit})
}

// pages reads a page and the next one.
func (t *tour) pages(ctx context.Context, wanted *PurchaseOrdersListParams) error {
	var last string
	for range 2 {
		page, err := t.client.PurchaseOrdersListWithResponse(ctx, wanted)
		if err != nil {
			return err
		}
		if page.JSON200 == nil || len(page.JSON200.Data) != 2 || page.JSON200.Data[0].Id == last || page.JSON200.NextCursor == nil {
			return unexpected("orders", page.HTTPResponse, page.Body)
		}
		last, wanted.Cursor = page.JSON200.Data[0].Id, page.JSON200.NextCursor
	}
	return nil
}

// stream reads every work order: a generated client gives the answer, and the lines are its caller's to read.
func (t *tour) stream(ctx context.Context) error {
	answer, err := t.client.ClientInterface.WorkOrdersList(ctx, nil, func(_ context.Context, r *http.Request) error {
		r.Header.Set("Accept", "application/x-ndjson")
		return nil
	})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines, count := bufio.NewScanner(answer.Body), 0
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var end struct{ End struct{ Count int } }
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"end":`)) && json.Unmarshal(lines.Bytes(), &end) == nil {
			if end.End.Count != count || count != 1500 {
				return fmt.Errorf("the stream had %d records, its end says %d", count, end.End.Count)
			}
			fmt.Printf("streamed %d\n", count)
			return nil
		}
		var order WorkOrder
		if err := json.Unmarshal(lines.Bytes(), &order); err != nil {
			return err
		}
		count++
	}
	return errors.Join(lines.Err(), fmt.Errorf("the stream was cut after %d records", count))
}

// order gives an order its life: created, created again, changed, approved, and then locked.
func (t *tour) order(ctx context.Context) error {
	key := "generated-1"
	wish := newOrder()
	made, err := t.client.PurchaseOrdersCreateWithResponse(ctx, &PurchaseOrdersCreateParams{IdempotencyKey: &key}, wish)
	if err != nil {
		return err
	}
	if made.JSON201 == nil {
		return unexpected("create", made.HTTPResponse, made.Body)
	}
	again, err := t.client.PurchaseOrdersCreateWithResponse(ctx, &PurchaseOrdersCreateParams{IdempotencyKey: &key}, wish)
	if err != nil {
		return err
	}
	if again.JSON201 == nil || again.JSON201.Id != made.JSON201.Id || again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
		return unexpected("replay", again.HTTPResponse, again.Body)
	}
	read, err := t.client.PurchaseOrdersGetWithResponse(ctx, made.JSON201.Id, nil)
	if err != nil {
		return err
	}
	if read.JSON200 == nil || read.JSON200.Lines == nil || len(*read.JSON200.Lines) != 2 {
		return unexpected("read back", read.HTTPResponse, read.Body)
	}
	return t.change(ctx, *made.JSON201)
}

func (t *tour) change(ctx context.Context, order PurchaseOrder) error {
	tag, buyer, other := `"`+strings.Trim(*order.Etag, `"`)+`"`, "Nils Norén", "Maja Öhman"
	changed, err := t.client.PurchaseOrdersUpdateWithResponse(ctx, order.Id, &PurchaseOrdersUpdateParams{IfMatch: &tag}, PurchaseOrderInput{Buyer: &buyer})
	if err != nil {
		return err
	}
	if changed.JSON200 == nil {
		return unexpected("update", changed.HTTPResponse, changed.Body)
	}
	if now, err := changed.JSON200.AsPurchaseOrder(); err != nil || now.Buyer == nil || *now.Buyer != buyer {
		return unexpected("update", changed.HTTPResponse, changed.Body)
	}
	stale, err := t.client.PurchaseOrdersUpdateWithResponse(ctx, order.Id, &PurchaseOrdersUpdateParams{IfMatch: &tag}, PurchaseOrderInput{Buyer: &other})
	if err != nil {
		return err
	}
	if stale.ApplicationproblemJSON412 == nil || stale.ApplicationproblemJSON412.Code != "PRECONDITION_FAILED" {
		return unexpected("a stale etag", stale.HTTPResponse, stale.Body)
	}
	approved, err := t.client.PurchaseOrdersActionWithResponse(ctx, order.Id, "approve", nil, map[string]any{})
	if err != nil {
		return err
	}
	if approved.JSON200 == nil {
		return unexpected("approve", approved.HTTPResponse, approved.Body)
	}
	locked, err := t.client.PurchaseOrdersUpdateWithResponse(ctx, order.Id, nil, PurchaseOrderInput{Buyer: &other})
	if err != nil {
		return err
	}
	if locked.ApplicationproblemJSON409 == nil || locked.ApplicationproblemJSON409.Code != "RECORD_LOCKED" {
		return unexpected("an approved order", locked.HTTPResponse, locked.Body)
	}
	return nil
}

func newOrder() PurchaseOrderInput {
	line := func(item, quantity, price string) PurchaseOrderLineInput {
		return PurchaseOrderLineInput{ItemId: &item, Quantity: &quantity, Price: &price}
	}
	title, vendor, site, buyer := "Bearings for the drying section", "7", "1", "Karin Sandell"
	ordered := time.Date(2026, 7, 1, 7, 30, 0, 0, time.UTC)
	lines := []PurchaseOrderLineInput{line("1", "4", "1250.00"), line("3", "2.5", "89.90")}
	return PurchaseOrderInput{Title: &title, VendorId: &vendor, SiteId: &site, Buyer: &buyer, OrderedAt: &ordered, Lines: &lines}
}

func unexpected(what string, answer *http.Response, body []byte) error {
	return fmt.Errorf("%s: %s %.500s", what, answer.Status, body)
}

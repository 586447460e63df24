package webhooks

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gantry/relay/jobs"
	"gantry/relay/store"
	"gantry/relay/store/sqlite"
)

// BenchmarkRecords measures records from their batches to a receiver on this machine that answers at once: the store, the
// jobs, the signatures and HTTP, all of it in one process. A record is a message of a kilobyte and a half.
func BenchmarkRecords(b *testing.B) {
	const batch = 500
	var received atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { received.Add(1) }))
	defer receiver.Close()
	dir := b.TempDir()
	file, err := sqlite.Open(b.Context(), dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // the benchmark is over
	queue, err := jobs.Open(b.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer queue.Close() //nolint:errcheck // the benchmark is over
	d := New(Options{Outbox: file, Queue: queue, Guard: Guard{HTTP: true, Private: prefixes("127.0.0.0/8", "::1/128")}, Logger: slog.New(slog.DiscardHandler)})
	if err := queue.Start(b.Context(), d.Tasks(), d.Sweeps()); err != nil {
		b.Fatal(err)
	}
	defer queue.Stop(b.Context()) //nolint:errcheck // the benchmark is over
	s := d.Store(file)
	o, err := s.CreateOrganisation(b.Context(), "Plant", 1)
	if err != nil {
		b.Fatal(err)
	}
	_, err = s.CreateWebhook(b.Context(), store.NewWebhook{OrganisationID: o.ID, URL: receiver.URL, Events: []string{"record.*"}, Secret: NewSecret()})
	if err != nil {
		b.Fatal(err)
	}
	data := json.RawMessage(`{"record":"` + strings.Repeat("x", 1500) + `"}`)
	var added, sent int64
	var adding time.Duration
	start := time.Now()
	for b.Loop() {
		messages := make([]store.NewDelivery, batch)
		for i := range messages {
			messages[i] = store.NewDelivery{
				ID: fmt.Sprint("rec_", sent), Kind: store.RecordUpdated, At: start, Subject: fmt.Sprint("record ", sent%10_000), Data: data,
			}
			sent++
		}
		began := time.Now()
		if err := s.AddDeliveries(b.Context(), o.ID, messages); err != nil {
			b.Fatal(err)
		}
		adding += time.Since(began)
		added += batch
		for added-received.Load() > 10*batch { // syncs would go on; the benchmark wants to see both halves
			time.Sleep(time.Millisecond)
		}
	}
	for received.Load() < added {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(added)/adding.Seconds(), "added/s")
	b.ReportMetric(float64(added)/time.Since(start).Seconds(), "delivered/s")
}

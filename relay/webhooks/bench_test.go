package webhooks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/relay/jobs"
	"gantry/relay/store"
	"gantry/relay/store/sqlite"
)

// bench is a dispatcher over a real store, with receivers that are functions, and with the clock of a bubble.
type bench struct {
	*Dispatcher
	t            *testing.T
	store        store.Store
	organisation string
	queue        *diary

	mu       sync.Mutex
	got      []arrival
	receiver func(*http.Request, string) (*http.Response, error)
	most     int // requests at a time
	now      int
}

// arrival is a message that came to a receiver.
type arrival struct {
	at   time.Duration // since the test began
	id   string
	host string
}

// bubble runs a test in a bubble, with a bench.
func bubble(t *testing.T, test func(*bench)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		file, err := sqlite.Open(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := file.Close(); err != nil {
				t.Error(err)
			}
		}()
		b := &bench{t: t, queue: &diary{jobs: map[string]entry{}, stopping: make(chan struct{})}}
		b.Dispatcher = New(Options{Outbox: file, Queue: b.queue, Logger: slog.New(slog.DiscardHandler)})
		b.client.Transport = b
		b.store = b.Store(file)
		o, err := file.CreateOrganisation(t.Context(), "Plant", 1)
		if err != nil {
			t.Fatal(err)
		}
		b.organisation = o.ID
		test(b)
	})
}

// RoundTrip implements http.RoundTripper: it hands a request to the receiver, and notes it.
func (b *bench) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.now++
	b.most = max(b.most, b.now)
	b.mu.Unlock()
	response, err := b.receiver(r, string(body))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now--
	b.got = append(b.got, arrival{time.Since(began), r.Header.Get(headerID), r.URL.Host})
	return response, err
}

// began is when a bubble's clock starts.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// answers makes a receiver that always answers the same.
func answers(status int, header ...string) func(*http.Request, string) (*http.Response, error) {
	return func(*http.Request, string) (*http.Response, error) { return answering(status, header...), nil }
}

func answering(status int, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("thanks"))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (b *bench) hook(host string) store.Webhook {
	b.t.Helper()
	w, err := b.store.CreateWebhook(b.t.Context(), store.NewWebhook{
		OrganisationID: b.organisation, URL: "https://" + host + "/hook", Events: []string{"*"}, Secret: NewSecret(),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

// add adds messages "subject-number".
func (b *bench) add(ids ...string) {
	b.t.Helper()
	var messages []store.NewDelivery
	for _, id := range ids {
		subject, _, _ := strings.Cut(id, "-")
		messages = append(messages, store.NewDelivery{ID: id, Kind: store.RecordCreated, At: time.Now(), Subject: subject, Data: json.RawMessage(`{}`)})
	}
	if err := b.store.AddDeliveries(b.t.Context(), b.organisation, messages); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) webhook(id string) store.Webhook {
	b.t.Helper()
	w, err := b.store.Webhook(b.t.Context(), b.organisation, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

func (b *bench) states(webhook string) map[store.DeliveryState]int {
	b.t.Helper()
	all, err := b.store.Deliveries(b.t.Context(), b.organisation, webhook, store.DeliveryFilter{}, store.Page{})
	if err != nil {
		b.t.Fatal(err)
	}
	count := map[store.DeliveryState]int{}
	for _, d := range all {
		count[d.State]++
	}
	return count
}

// pass runs the jobs of a span of time, with the sweeps of every minute.
func (b *bench) pass(span time.Duration) {
	b.t.Helper()
	for end := time.Now().Add(span); ; {
		sweep := time.Now().Truncate(sweeping).Add(sweeping)
		at, run := b.queue.next(b.Dispatcher, sweep)
		if at.After(end) {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(time.Until(at))
		if err := run(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

// diary is a Queue that waits to be asked.
type diary struct {
	mu       sync.Mutex
	jobs     map[string]entry
	stopping chan struct{}
}

type entry struct {
	at   time.Time
	args jobs.Args
}

// EnqueueAt implements Queue.
func (d *diary) EnqueueAt(_ context.Context, args jobs.Args, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := fmt.Sprintf("%T%v", args, args)
	if have, ok := d.jobs[key]; !ok || at.Before(have.at) {
		d.jobs[key] = entry{at, args}
	}
}

// Stopping implements Queue.
func (d *diary) Stopping() <-chan struct{} { return d.stopping }

// next takes the job that comes first, at a sweep at the latest.
func (d *diary) next(dispatcher *Dispatcher, sweep time.Time) (time.Time, func(context.Context) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, name := entry{at: sweep}, ""
	for key, e := range d.jobs {
		if e.at.Before(first.at) {
			first, name = e, key
		}
	}
	delete(d.jobs, name)
	switch args := first.args.(type) {
	case Look:
		return first.at, func(ctx context.Context) error { return dispatcher.look(ctx, args) }
	case Deliver:
		return first.at, func(ctx context.Context) error { return dispatcher.deliver(ctx, args) }
	}
	return sweep, func(ctx context.Context) error {
		if err := dispatcher.tidy(ctx, Tidy{}); err != nil {
			return err
		}
		return dispatcher.look(ctx, Look{})
	}
}

package webhooks

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/relay/store"
)

func TestMessageIsDelivered(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("fine.example")
		var request *http.Request
		b.receiver = func(r *http.Request, body string) (*http.Response, error) {
			request = r
			if body != `{"type":"record.created","timestamp":"2000-01-01T00:00:00Z","data":{}}` {
				t.Errorf("the body is %s", body)
			}
			return answering(http.StatusAccepted), nil
		}
		b.add("a-1")
		b.pass(time.Second)
		if request == nil || request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/json" || request.Header.Get(headerID) != "a-1" {
			t.Fatalf("got %+v", request)
		}
		d, err := b.store.Delivery(b.t.Context(), b.organisation, w.ID, "a-1")
		if err != nil || d.State != store.Delivered || d.Status != http.StatusAccepted || d.Attempts != 1 {
			t.Errorf("%+v %v", d, err)
		}
		if h := b.webhook(w.ID).Health; h.LastSuccessAt.IsZero() {
			t.Errorf("%+v", h)
		}
	})
}

// silent is a receiver that does not answer.
func silent(r *http.Request, _ string) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestScheduleOfADay: from half a minute on, growing, with the last attempt after 24 hours, or when the receiver's rest ends that it is in then.
func TestScheduleOfADay(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("silent.example")
		b.receiver = silent
		b.add("a-1")
		b.pass(26 * time.Hour)
		d, err := b.store.Delivery(b.t.Context(), b.organisation, w.ID, "a-1")
		if err != nil || d.State != store.DeliveryFailed || d.Attempts != len(b.got) || d.Error == "" {
			t.Errorf("%+v %v", d, err)
		}
		if len(b.got) < 12 || len(b.got) > 20 {
			t.Errorf("%d attempts: %v", len(b.got), b.got)
		}
		for i := 1; i < len(b.got); i++ {
			least := min(firstRetry<<(i-1), maxRetry)
			if gap := b.got[i].at - b.got[i-1].at; gap < least && i < len(b.got)-1 || gap > least+least/4+slice+ahead {
				t.Errorf("attempt %d comes after %v, wanted %v and a little more", i+1, gap, least)
			}
		}
		if last := b.got[len(b.got)-1].at; last < store.DeliveryLife || last > store.DeliveryLife+maxRest+maxRest/4+2*time.Minute {
			t.Errorf("the last attempt is after %v", last)
		}
	})
}

// TestWhatIsNoSuccess: everything but 2xx is tried again, and its owner is told why.
func TestWhatIsNoSuccess(t *testing.T) {
	for want, receiver := range map[string]func(*http.Request, string) (*http.Response, error){
		"the receiver answered 500 Internal Server Error":                                        answers(http.StatusInternalServerError),
		"the receiver answered 302: redirects are not followed, so give the webhook its new URL": answers(http.StatusFound, "Location", "https://fine.example/"),
		"no answer within 15s": silent,
		"connection refused":   func(*http.Request, string) (*http.Response, error) { return nil, errors.New("connection refused") },
	} {
		bubble(t, func(b *bench) {
			w := b.hook("bad.example")
			b.receiver = receiver
			b.add("a-1")
			b.pass(20 * time.Second)
			d, err := b.store.Delivery(b.t.Context(), b.organisation, w.ID, "a-1")
			if err != nil || d.State != store.DeliveryPending || d.Attempts != 1 || d.Error != want {
				t.Errorf("%s: %+v %v", want, d, err)
			}
		})
	}
}

// TestOrderBySubject: what fails holds up its subject, and nothing else.
func TestOrderBySubject(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("mixed.example")
		broken := true
		b.receiver = func(r *http.Request, _ string) (*http.Response, error) {
			if strings.HasPrefix(r.Header.Get(headerID), "a-") && broken {
				return answering(http.StatusBadRequest), nil
			}
			return answering(http.StatusOK), nil
		}
		b.add("a-1", "b-1", "a-2", "b-2", "c-1", "b-3")
		b.pass(20 * time.Second)
		if got := b.states(w.ID); got[store.Delivered] != 4 || got[store.DeliveryPending] != 2 {
			t.Fatalf("%v: %v", got, b.got)
		}
		broken = false
		b.pass(time.Hour)
		bySubject := map[string][]string{}
		for _, a := range b.got {
			subject, _, _ := strings.Cut(a.id, "-")
			if had := bySubject[subject]; len(had) == 0 || had[len(had)-1] != a.id {
				bySubject[subject] = append(had, a.id)
			}
		}
		for subject, want := range map[string][]string{"a": {"a-1", "a-2"}, "b": {"b-1", "b-2", "b-3"}, "c": {"c-1"}} {
			if !slices.Equal(bySubject[subject], want) {
				t.Errorf("%s came as %v", subject, bySubject[subject])
			}
		}
	})
}

// TestDeadReceiverIsLeftAlone: many messages wait for it, and few requests are made; when it is back, they go at once.
func TestDeadReceiverIsLeftAlone(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("dead.example")
		dead := true
		b.receiver = func(r *http.Request, _ string) (*http.Response, error) {
			if dead {
				return silent(r, "")
			}
			return answering(http.StatusOK), nil
		}
		var ids []string
		for n := range 500 {
			ids = append(ids, fmt.Sprintf("%d-1", n))
		}
		b.add(ids...)
		b.pass(6 * time.Hour)
		if len(b.got) > window+25 {
			t.Errorf("%d requests in six hours", len(b.got))
		}
		if h := b.webhook(w.ID).Health; h.Rests == 0 || h.FailingSince.IsZero() || h.LastError != "no answer within 15s" || !h.RestsUntil.After(time.Now().Add(-2*time.Minute)) {
			t.Errorf("%+v", h)
		}
		dead, b.most = false, 0
		b.pass(maxRest + maxRest/4 + 2*time.Minute)
		if got := b.states(w.ID); got[store.Delivered] != 500 {
			t.Errorf("%v", got)
		}
		if b.most > window {
			t.Errorf("%d requests at a time", b.most)
		}
	})
}

func TestDeadReceiverHoldsUpNoOther(t *testing.T) {
	bubble(t, func(b *bench) {
		dead, fine := b.hook("dead.example"), b.hook("fine.example")
		b.receiver = func(r *http.Request, _ string) (*http.Response, error) {
			if r.URL.Host == "dead.example" {
				return nil, errors.New("connection refused")
			}
			return answering(http.StatusOK), nil
		}
		b.add("a-1", "b-1", "c-1")
		b.pass(time.Second)
		if got := b.states(fine.ID); got[store.Delivered] != 3 {
			t.Errorf("%v", got)
		}
		if got := b.states(dead.ID); got[store.DeliveryPending] != 3 {
			t.Errorf("%v", got)
		}
	})
}

func TestReceiverThatIsGoneIsDisabled(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("gone.example")
		b.receiver = answers(http.StatusGone)
		b.add("a-1", "a-2")
		b.pass(10 * time.Minute)
		if got := b.webhook(w.ID); got.State != store.WebhookDisabled || got.Reason == "" || len(b.got) != 1 {
			t.Errorf("%+v after %v", got, b.got)
		}
		if got := b.states(w.ID); got[store.DeliveryFailed] != 2 {
			t.Errorf("%v", got)
		}
		b.receiver = answers(http.StatusOK)
		active := store.WebhookActive
		if _, err := b.store.ChangeWebhook(b.t.Context(), b.organisation, w.ID, store.WebhookChange{State: &active}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.store.ResendDelivery(b.t.Context(), b.organisation, w.ID, "a-1"); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Second)
		if got := b.states(w.ID); got[store.Delivered] != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestRetryAfterIsRespected(t *testing.T) {
	bubble(t, func(b *bench) {
		b.hook("busy.example")
		b.receiver = answers(http.StatusTooManyRequests, "Retry-After", "3600")
		b.add("a-1")
		b.pass(time.Second)
		b.add("b-1")
		b.pass(59 * time.Minute)
		if len(b.got) != 1 {
			t.Errorf("%v, wanted silence for an hour", b.got)
		}
		b.receiver = answers(http.StatusOK)
		b.pass(3 * time.Minute)
		if len(b.got) != 3 {
			t.Errorf("%v, wanted both messages after an hour", b.got)
		}
	})
}

func TestPausedWebhookWaits(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("fine.example")
		b.receiver = answers(http.StatusOK)
		paused, active := store.WebhookPaused, store.WebhookActive
		if _, err := b.store.ChangeWebhook(b.t.Context(), b.organisation, w.ID, store.WebhookChange{State: &paused}); err != nil {
			t.Fatal(err)
		}
		b.add("a-1")
		b.pass(time.Hour)
		if len(b.got) > 0 {
			t.Errorf("%v came though it is paused", b.got)
		}
		if _, err := b.store.ChangeWebhook(b.t.Context(), b.organisation, w.ID, store.WebhookChange{State: &active}); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Second)
		if len(b.got) != 1 {
			t.Errorf("%v, wanted what has waited", b.got)
		}
	})
}

func TestStopTakesNothingNew(t *testing.T) {
	bubble(t, func(b *bench) {
		w := b.hook("slow.example")
		b.receiver = func(*http.Request, string) (*http.Response, error) {
			close(b.queue.stopping)
			time.Sleep(time.Second)
			return answering(http.StatusOK), nil
		}
		b.add("a-1", "a-2")
		b.pass(20 * time.Second)
		if got := b.states(w.ID); len(b.got) != 1 || got[store.Delivered] != 1 || got[store.DeliveryPending] != 1 {
			t.Errorf("%v: %v", got, b.got)
		}
	})
}

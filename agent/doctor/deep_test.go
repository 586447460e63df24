package doctor_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/tunnel/check"
)

// measuring is a session through which so many bytes a second pass. It ends at once when it is quiet.
type measuring struct {
	doctor.Session
	speed float64
}

func (m measuring) RoundTripper() http.RoundTripper { return m }
func (measuring) Close(string)                      {}
func (measuring) Err() error                        { return io.EOF }
func (measuring) Done() <-chan struct{} {
	ended := make(chan struct{})
	close(ended)
	return ended
}

func (m measuring) RoundTrip(r *http.Request) (*http.Response, error) {
	up, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		return nil, err
	}
	down, err := strconv.Atoi(r.URL.Query().Get("bytes"))
	time.Sleep(time.Duration(float64(up+int64(down)) / m.speed * float64(time.Second)))
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(strings.Repeat("\x00", down)))}, err
}

func TestDeep(t *testing.T) {
	t.Parallel()
	r := openRelay(t, nil, nil)
	sessions := func(context.Context) ([]control.Session, error) {
		return []control.Session{{Lane: "calls", State: "connected"}}, nil
	}
	for _, tt := range []struct {
		open       func(context.Context) (doctor.Session, error)
		throughput check.Status
		idle       string
	}{
		{func(context.Context) (doctor.Session, error) { return measuring{speed: 1e9}, nil }, check.Passed, "NET-IDLE-CUT"},
		{func(context.Context) (doctor.Session, error) { return measuring{speed: 8e6}, nil }, check.Passed, "NET-IDLE-CUT"},
		{func(context.Context) (doctor.Session, error) { return nil, io.EOF }, check.Skipped, ""},
		{nil, check.Skipped, ""}, // somebody who may not show the identity
	} {
		report := diagnose(t, doctor.Road{Dialer: r.dialer(), Sessions: sessions, Open: tt.open, Deep: true})
		for _, got := range report.Results {
			if got.Check == "network.throughput" && got.Status != tt.throughput || got.Check == "network.idle" && got.ID != tt.idle {
				t.Errorf("%+v", got)
			}
		}
	}
	if limit := (doctor.Road{Deep: true}).Limit(); limit < 90*time.Second || (doctor.Road{}).Limit() != 20*time.Second {
		t.Errorf("limits: %s", limit)
	}
}

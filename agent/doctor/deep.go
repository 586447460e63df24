package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/check"
)

const (
	idleTime     = 65 * time.Second // longer than the minute after which many proxies cut what is quiet
	measured     = 4 << 20          // bytes each way
	measureLimit = 8 * time.Second  // each way
	slow         = 1_000_000        // bits a second
	answerLimit  = 5 * time.Second  // of the session that was quiet
)

// checkThroughput sends and fetches a few megabytes through a session.
func (w *way) checkThroughput(ctx context.Context) check.Outcome {
	if w.Open == nil {
		return check.Skip(w.NoIdentity)
	}
	session, err := w.Open(ctx)
	if err != nil {
		return check.Skip("there is no session to measure with: " + errorText(err))
	}
	defer session.Close("the doctor has seen enough")
	up, err := speed(ctx, session, measured, 0)
	if err != nil {
		return check.Skip("the relay does not measure: " + errorText(err))
	}
	down, err := speed(ctx, session, 0, measured)
	if err != nil {
		return check.Skip("the relay does not measure: " + errorText(err))
	}
	said := fmt.Sprintf("%.1f Mbit/s to the relay, %.1f Mbit/s from it", up/1e6, down/1e6)
	if min(up, down) < slow {
		return w.fill(check.Warn("NET-SLOW", said))
	}
	return check.Pass(said)
}

// speed moves bytes through the session and gives bits a second.
func speed(ctx context.Context, s Session, up, down int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	begin := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://relay%s?bytes=%d", wire.PathMeasure, down), bytes.NewReader(make([]byte, up)))
	if err != nil {
		return 0, err
	}
	answer, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	n, err := io.Copy(io.Discard, io.LimitReader(answer.Body, int64(down)+1))
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK || n != int64(down) {
		return 0, fmt.Errorf("it answered %d with %d bytes", answer.StatusCode, n)
	}
	return 8 * float64(up+down) / time.Since(begin).Seconds(), nil
}

// checkIdle looks whether a session holds on which nothing travels but its own small beats.
func (w *way) checkIdle(ctx context.Context) check.Outcome {
	if w.Open == nil {
		return check.Skip(w.NoIdentity)
	}
	session, err := w.Open(ctx)
	if err != nil {
		return check.Skip("there is no session to wait with: " + errorText(err))
	}
	defer session.Close("the doctor has seen enough")
	begin := time.Now()
	timer := time.NewTimer(idleTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-session.Done():
		after := spoken(time.Since(begin))
		return w.fill(check.Fail("NET-IDLE-CUT", fmt.Sprintf("a quiet session ended after %s: %s", after, errorText(session.Err()))).With("after", after))
	case <-ctx.Done():
		return check.Skip("the time was over before")
	}
	answers, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if _, err := session.Ping(answers); err != nil {
		return w.fill(check.Fail("NET-IDLE-CUT", "after "+spoken(idleTime)+" the session did not answer: "+errorText(err)).With("after", spoken(idleTime)))
	}
	return check.Pass("a session that carried nothing for " + spoken(idleTime) + " still answers")
}

//go:build prove

package house

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/agent/state"
	"gantry/connectors/sql/sqltest"
	"gantry/house/adventureworks"
	"gantry/tunnel/fault"
)

// endTime is what the contract promises of the end of a token, for the next answer and for a stream.
const endTime = time.Second

// TestDisconnect ends a connection under load, and one whose agent is away.
func TestDisconnect(t *testing.T) {
	base := sqltest.Postgres(t).Database(t)
	if err := adventureworks.Generate(t.Context(), base.DB, "postgres", 400_000); err != nil {
		t.Fatal(err)
	}
	user := base.Login(t, "GRANT SELECT ON big_reading TO %s")
	folder := t.TempDir()
	writeFile(t, folder+"/big-readings.yaml", bigReadings)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	way := openLine(t, base.Server.Address())
	p := open(t, withAgent("definitions: "+folder+"\n"), withRelay("limits: {rate_per_token: 100000, burst_per_token: 100000}\n"))
	p.allow("target", way.address())
	settings := user.Settings()
	settings["port"] = portOf(t, way.address())
	with := login{System: "big-readings", Name: "historian", Settings: settings, Credentials: map[string]string{"password": user.Password}}

	t.Run("under load", func(t *testing.T) { p.disconnectsUnderLoad(t, with, base.Server) })
	t.Run("while the agent is away", func(t *testing.T) { p.disconnectsAnAbsentAgent(t, with, way) })
	t.Run("token replaced under load", func(t *testing.T) { p.replacesTokenUnderLoad(t, with) })
}

// load is callers that read one after the other, and one that reads a stream slowly.
type load struct {
	running  sync.WaitGroup
	ending   atomic.Bool
	answers  atomic.Int64
	last     atomic.Int64 // when the last good answer was there, Unix nanoseconds
	codes    sync.Map     // fault.Code of the refusals
	rows     atomic.Int64
	cut      time.Time // when the stream ended
	cutCause error
}

// startLoad waits until the load is there.
func (p *plant) startLoad(t *testing.T, c *Client) *load {
	t.Helper()
	l := &load{}
	for range 8 {
		l.running.Go(func() { l.call(t, c) })
	}
	l.running.Go(func() {
		_, l.cutCause = c.Stream(t.Context(), "/meter-readings", func([]byte) error {
			if l.rows.Add(1)%100 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			return nil
		})
		l.cut = time.Now()
	})
	eventually(t, time.Minute, "the load is there", func() error {
		if calls, rows := l.answers.Load(), l.rows.Load(); calls < 50 || rows < 1000 {
			return fmt.Errorf("%d answers, %d rows", calls, rows)
		}
		return nil
	})
	return l
}

func (l *load) call(t *testing.T, c *Client) {
	for !l.ending.Load() {
		answer, err := c.Do(t.Context(), http.MethodGet, "/meter-readings?limit=5", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if problem := answer.Problem(); problem != nil {
			l.codes.Store(problem.Code, true)
			time.Sleep(time.Millisecond)
			continue
		}
		l.answers.Add(1)
		l.last.Store(time.Now().UnixNano())
	}
}

// end lets the callers try for a while longer, and gives when the last answer came and when the stream ended, after begin.
func (l *load) end(t *testing.T, begin time.Time, code fault.Code) (last, cut time.Duration) {
	t.Helper()
	time.Sleep(3 * time.Second)
	l.ending.Store(true)
	l.running.Wait()
	last, cut = max(time.Unix(0, l.last.Load()).Sub(begin), 0), l.cut.Sub(begin)
	if last > endTime || cut > endTime {
		t.Errorf("the last good answer came %s after, the stream ended %s after; both within %s", last, cut, endTime)
	}
	if !fault.Is(l.cutCause, code) {
		t.Errorf("the stream ended with %v", l.cutCause)
	}
	l.codes.Range(func(got, _ any) bool {
		if got != code {
			t.Errorf("a call was refused with %s", got)
		}
		return true
	})
	return last, cut
}

func (p *plant) disconnectsUnderLoad(t *testing.T, with login, server *sqltest.Server) {
	client, id := p.connect(with)
	l := p.startLoad(t, client)
	begin := time.Now()
	p.must(http.MethodPost, "/connections/"+id+"/disconnect", nil, 200, nil)
	answered := time.Since(begin)
	last, cut := l.end(t, begin, fault.ConnectionDisconnected)
	p.creditsUsed(t, 0)
	eventually(t, 10*time.Second, "the agent has no session at the system", func() error {
		if n := count(t, server.Admin(), "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", with.Settings["username"]); n > 0 {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	t.Logf("after %d good answers and %d rows of a stream: disconnect answered after %s; last good answer %s after it was sent, stream cut after %s with %v; credits back; no session at the system",
		l.answers.Load(), l.rows.Load(), answered.Round(time.Millisecond), last.Round(time.Millisecond), cut.Round(time.Millisecond), fault.ConnectionDisconnected)
}

func (p *plant) creditsUsed(t *testing.T, want int) {
	t.Helper()
	var credits struct{ Used int }
	if p.must(http.MethodGet, "/credits", nil, 200, &credits); credits.Used != want {
		t.Errorf("%d credits are used, want %d", credits.Used, want)
	}
}

// disconnectsAnAbsentAgent kills the agent in the midst of reads, disconnects, and lets it come back.
func (p *plant) disconnectsAnAbsentAgent(t *testing.T, with login, way *line) {
	client, id := p.connect(with)
	p.expect(client, http.MethodGet, "/meter-readings?limit=5", nil, 200, nil)
	p.agent.kill()
	secret := p.storedLogin(t, id)
	p.must(http.MethodPost, "/connections/"+id+"/disconnect", nil, 200, nil)
	p.creditsUsed(t, 0)
	p.refused(client, http.MethodGet, "/meter-readings?limit=5", nil, want(fault.ConnectionDisconnected, ""))

	came, begin := way.came.Load(), time.Now()
	p.startAgent()
	p.awaitAgent("connected")
	back := time.Since(begin)
	if stands(t, p.path("agent"), secret) || stands(t, p.path("agent"), []byte(with.Settings["username"].(string))) {
		t.Error("the agent is connected, and its files still hold the login")
	}
	time.Sleep(20 * time.Second) // an agent probes what it holds within 15 s of its start
	if n := way.came.Load() - came; n > 0 {
		t.Errorf("the agent went to the system %d times after it came back", n)
	}
	t.Logf("the agent was connected %s after its start, with nothing of %d bytes of login in its files; it did not go to the system", back.Round(time.Millisecond), len(secret))
}

// storedLogin reads the box of a login from the files of an agent that does not run.
func (p *plant) storedLogin(t *testing.T, id string) []byte {
	t.Helper()
	db, err := state.Open(t.Context(), p.path("agent"))
	if err != nil {
		t.Fatal(err)
	}
	row, err := db.Connection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if !stands(t, p.path("agent"), row.Credentials) {
		t.Fatal("the login is not where this test looks for it")
	}
	return row.Credentials
}

func (p *plant) replacesTokenUnderLoad(t *testing.T, with login) {
	client, id := p.connect(with)
	l := p.startLoad(t, client)
	begin := time.Now()
	var made struct{ Token string }
	p.must(http.MethodPost, "/connections/"+id+"/token", nil, 200, &made)
	last, cut := l.end(t, begin, fault.TokenRevoked)
	p.expect(&Client{URL: p.url, Token: made.Token, HTTP: p.http}, http.MethodGet, "/meter-readings?limit=5", nil, 200, nil)
	t.Logf("last good answer of the old token %s after, its stream cut after %s; the new one works", last.Round(time.Millisecond), cut.Round(time.Millisecond))
}

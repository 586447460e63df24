package sqldriver

import (
	"fmt"
	"math"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/golang-sql/civil"
	mssql "github.com/microsoft/go-mssqldb"
)

// TestDatetimeComesBackAsItself takes each fraction that a datetime column can hold through a row and back.
func TestDatetimeComesBackAsItself(t *testing.T) {
	second := time.Date(2026, 3, 29, 2, 30, 59, 0, time.UTC)
	for tick := range 300 {
		given := second.Add(time.Duration(math.Trunc(float64(tick)/0.3+0.5)) * time.Millisecond) // as go-mssqldb decodes it
		exact := datetime(given)
		if want := second.Add(time.Duration(tick) * time.Second / 300); !exact.Equal(want) {
			t.Fatalf("tick %d is %s, expected %s", tick, exact, want)
		}
		switch bound := (sqlServer{}).bind(exact).(type) {
		case mssql.DateTime1:
			if sent := math.Round(float64(time.Time(bound).Nanosecond()) * 3 / 1e7); int(sent) != tick { // as it encodes it
				t.Errorf("tick %d is sent as %v", tick, sent)
			}
		case civil.DateTime:
			if tick%3 != 0 { // whole hundredths are the same in both types
				t.Errorf("tick %d is sent as a datetime2", tick)
			}
		default:
			t.Fatalf("tick %d is sent as %T", tick, bound)
		}
	}
}

// TestOtherTimesAreDatetime2 checks that no time of a caller or of another column is rounded to a datetime.
func TestOtherTimesAreDatetime2(t *testing.T) {
	for _, ns := range []int{0, 3_000_000, 3_333_300, 7_000_000, 6_666_700, 123_456_789, 999_999_999} {
		at := time.Date(2026, 3, 29, 2, 30, 59, ns, time.UTC)
		if bound, ok := (sqlServer{}).bind(at).(civil.DateTime); !ok || bound != civil.DateTimeOf(at) {
			t.Errorf("%s is sent as %v", at, bound)
		}
	}
}

// TestStatementsThatNest checks what may stand in SELECT * FROM (…).
func TestStatementsThatNest(t *testing.T) {
	for _, test := range []struct {
		dialect dialect
		sql     string
		want    bool
	}{
		{sqlServer{}, "SELECT a FROM b", true},
		{sqlServer{}, "WITH c AS (SELECT a FROM b) SELECT a FROM c", false},
		{oracle{}, "WITH c AS (SELECT a FROM b) SELECT a FROM c", true},
		{oracle{}, "VALUES (1)", false},
		{postgres{}, "TABLE b", true},
		{mySQL{}, "UPDATE b SET a = 1", false},
		{sqlite{}, "VALUES (1)", true},
		{sqlite{}, "PRAGMA table_list", false},
	} {
		t.Run(fmt.Sprintf("%s %s", test.dialect.name(), test.sql), func(t *testing.T) {
			_, err := renderRead(connectors.Read{Statement: compiled(t, test.dialect, test.sql), Limit: 1})
			if (err == nil) != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

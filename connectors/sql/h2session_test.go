package sqldriver

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	big "encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/golang-sql/civil"
	goora "github.com/sijms/go-ora/v2"
)

// onH2 is a dialect whose statements go to H2 instead. Only the placeholder is another one: ?1 for @p1 and :1.
type onH2 struct {
	dialect
	session *h2Session
}

func (onH2) placeholder(n int) string { return "?" + strconv.Itoa(n) }

func (d onH2) connector(address, connectors.Limits) (driver.Connector, error) { return d.session, nil }

func (onH2) begin(ctx context.Context, c *sql.Conn, _ bool, _ connectors.Limits) (*sql.Tx, error) {
	return c.BeginTx(ctx, nil)
}

func (onH2) failure(err error) *connectors.Failure {
	e, ok := errors.AsType[h2Error](err)
	if !ok {
		return nil
	}
	return diagnosis{number: int64(e.code), message: e.message}.answered(err)
}

// h2Error is what H2 says to a statement. Code: https://h2database.com/javadoc/org/h2/api/ErrorCode.html
type h2Error struct {
	code    int32
	message string
}

func (e h2Error) Error() string { return e.message }

// h2Session speaks to testdata/H2.java. It is the one session there is: the database ends with it.
type h2Session struct {
	in  io.Writer
	out *bufio.Reader
}

// startH2 starts H2 with an empty database in memory.
func startH2(t *testing.T, settings string) *h2Session {
	t.Helper()
	const archive = "/usr/share/java/h2.jar" // of Debian's libh2-java
	_, err := exec.LookPath("javac")
	if err == nil {
		_, err = os.Stat(archive)
	}
	if err != nil && os.Getenv("GANTRY_REQUIRE_ALL") != "" {
		t.Fatalf("GANTRY_REQUIRE_ALL is set, but: %v", err)
	}
	if err != nil {
		t.Skipf("needs a JDK and H2: %v", err)
	}
	cmd := exec.Command("java", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-cp", archive, "testdata/H2.java", "jdbc:h2:mem:;"+settings)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // H2.java ends with its input
		if err := cmd.Wait(); err != nil {
			t.Errorf("H2: %v", err)
		}
	})
	return &h2Session{in: in, out: bufio.NewReader(out)}
}

// Connect implements driver.Connector.
func (s *h2Session) Connect(context.Context) (driver.Conn, error) { return s, nil }

// Driver implements driver.Connector.
func (s *h2Session) Driver() driver.Driver { return nil }

// Close implements driver.Conn.
func (s *h2Session) Close() error { return nil }

// Prepare implements driver.Conn.
func (s *h2Session) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("the driver under test prepares nothing")
}

// Begin implements driver.Conn.
func (s *h2Session) Begin() (driver.Tx, error) { return s, s.run("SET AUTOCOMMIT FALSE") }

// Commit implements driver.Tx.
func (s *h2Session) Commit() error { return errors.Join(s.run("COMMIT"), s.run("SET AUTOCOMMIT TRUE")) }

// Rollback implements driver.Tx.
func (s *h2Session) Rollback() error {
	return errors.Join(s.run("ROLLBACK"), s.run("SET AUTOCOMMIT TRUE"))
}

func (s *h2Session) run(statement string) error {
	_, err := s.ask(statement, nil)
	return err
}

// QueryContext implements driver.QueryerContext.
func (s *h2Session) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return s.ask(query, args)
}

// ExecContext implements driver.ExecerContext.
func (s *h2Session) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	answer, err := s.ask(query, args)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(answer.affected), nil
}

// CheckNamedValue takes what the dialects make of a time back to a time.
func (s *h2Session) CheckNamedValue(v *driver.NamedValue) error {
	switch value := v.Value.(type) {
	case civil.DateTime:
		v.Value = value.In(time.UTC)
	case goora.TimeStamp:
		v.Value = time.Time(value)
	}
	return nil
}

// ask sends a statement and reads the whole answer. The format is that of H2.java.
func (s *h2Session) ask(statement string, args []driver.NamedValue) (*h2Answer, error) {
	request := appendText(nil, statement)
	request = big.BigEndian.AppendUint32(request, uint32(len(args)))
	for _, arg := range args {
		kind, text := h2Field(arg.Value)
		request = appendText(append(request, kind), text)
	}
	if _, err := s.in.Write(request); err != nil {
		return nil, err
	}
	return (&h2Reader{in: s.out}).answer()
}

func h2Field(v any) (kind byte, text string) {
	switch v := v.(type) {
	case nil:
		return 'n', ""
	case int64:
		return 'l', strconv.FormatInt(v, 10)
	case time.Time:
		return 't', v.Format(h2Time)
	}
	return 's', fmt.Sprint(v)
}

const h2Time = "2006-01-02T15:04:05.999999999"

// appendText writes as Java's writeUTF does, for texts without NUL and without characters beyond U+FFFF.
func appendText(b []byte, text string) []byte {
	return append(big.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

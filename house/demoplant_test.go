package house

import (
	"context"
	"database/sql"
	"testing"

	_ "modernc.org/sqlite"

	"gantry/connectors/demoplant"
)

// demoPlant is a plant whose system is the demo's SQLite file, and a connection to it. It needs no server.
type demoPlant struct {
	*plant
	database *sql.DB // around Gantry: what is true
	login    login
	client   *Client
	id       string // of the connection
}

// openDemoPlant makes the file and starts a plant; nothing is allowed and nothing connected yet.
func openDemoPlant(t *testing.T, options ...option) *demoPlant {
	t.Helper()
	d := &demoPlant{plant: open(t, options...)}
	file := t.TempDir() + "/plant.db"
	if err := demoplant.Create(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.database, err = sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.database.Close() })
	d.login = login{System: "demo-plant", Site: d.site, Name: "plant", Settings: map[string]any{"path": file}, Credentials: map[string]string{}}
	return d
}

// connected is a demo plant that may be read and written, and is connected.
func connected(t *testing.T, options ...option) *demoPlant {
	t.Helper()
	d := openDemoPlant(t, options...)
	d.allow("path", d.login.Settings["path"].(string))
	d.allow("writes")
	d.client, d.id = d.connect(d.login)
	return d
}

// answers makes one cheap call.
func (d *demoPlant) answers(ctx context.Context) error {
	answer, err := d.client.Do(ctx, "GET", "/vendors?limit=1", nil)
	if err != nil {
		return err
	}
	if p := answer.Problem(); p != nil {
		return p
	}
	return nil
}

package house

import (
	"os"
	"testing"

	"gantry/connectors/sql/sqltest"
)

// workshop is a plant whose system is a small PostgreSQL database, made to fail in every way: one entity for the calls that
// work, and a rule, a trigger or a broken mapping for each that does not.
type workshop struct {
	*plant
	server *sqltest.Server
	base   *sqltest.Database
	login  login
	client *Client
	id     string // of the connection
}

const workshopTables = `
	CREATE TABLE machine (id serial PRIMARY KEY, name text NOT NULL UNIQUE, code text, serial text, stat int NOT NULL DEFAULT 1, rev int NOT NULL DEFAULT 1);
	INSERT INTO machine (name, code) SELECT 'Machine ' || n, 'V' || n FROM generate_series(1, 20) n;
	UPDATE machine SET stat = 2 WHERE id = 20;
	CREATE TABLE secret (id serial PRIMARY KEY, name text);
	CREATE FUNCTION refuse() RETURNS trigger AS $$
		BEGIN
			IF NEW.serial = 'SN-0' THEN RAISE 'The serial number SN-0 is reserved.'; END IF;
			RETURN NEW;
		END $$ LANGUAGE plpgsql;
	CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON machine FOR EACH ROW EXECUTE FUNCTION refuse();`

const workshopDefinition = `apiVersion: connector/v1
metadata: {id: workshop, version: 1.0.0, product: Workshop, categories: [erp], tier: 1, proved: real, extends: [base/sql-postgres]}
guide: A user of the workshop's database.
entities:
  assets:
    key: [{column: id, type: integer}]
    version: {column: rev, type: integer}
    lock: {sql: "SELECT id FROM machine WHERE id = :id FOR UPDATE"}
    operations:
      list: {sql: "SELECT id, name, code, serial, stat, rev FROM machine", keyset: [{column: id, type: integer}], filters: [code]}
      create: {class: opaque, tx: [{sql: "INSERT INTO machine (name, code, serial) VALUES (:name, :code, :serial_number) RETURNING id"}]}
      update: {tx: [{sql: "UPDATE machine SET code = :code, serial = :serial_number, rev = rev + 1 WHERE id = :id", affects: 1}]}
      delete: {mode: hard, tx: [{sql: "DELETE FROM machine WHERE id = :id", affects: 1}]}
    fields:
      name: {from: name, write: [create]}
      code: {from: code, write: [create, update], required: [create]}
      serial_number: {from: serial, write: [create, update]}
      status: {from: stat, enum: {1: in_service, 2: retired}}
    actions:
      retire: {from: [in_service], to: retired, sql: "UPDATE machine SET stat = 2, rev = rev + 1 WHERE id = :id"}
    rules:
      - {id: retired, on: [update], when: "current.status.value == 'retired'", deny: RECORD_LOCKED, message: "A machine out of use cannot be changed.", advice: "Put it into use again first."}
      - {id: broken, on: [delete], when: "int(current.name) > 0", deny: RECORD_LOCKED, message: "never"}
  items:
    key: [{column: id, type: integer}]
    operations: {list: {sql: "SELECT id, name FROM table_of_another_version", keyset: [{column: id, type: integer}]}}
    fields: {description: {from: name}}
  vendors:
    key: [{column: id, type: integer}]
    operations: {list: {sql: "SELECT id, name FROM secret", keyset: [{column: id, type: integer}]}}
    fields: {name: {from: name}}
`

// workshopDear is the same system at the price of more credits than the tests' organisation has.
const workshopDear = `apiVersion: connector/v1
metadata: {id: workshop-dear, version: 1.0.0, product: Dear workshop, tier: 90, extends: [workshop]}
`

// openWorkshop makes the database, starts a plant and connects it. Writes are allowed.
func openWorkshop(t *testing.T, options ...option) *workshop {
	t.Helper()
	base := sqltest.Postgres(t).Database(t, workshopTables)
	user := base.Login(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON machine TO %s", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %s")
	folder := t.TempDir()
	writeFile(t, folder+"/workshop.yaml", workshopDefinition)
	writeFile(t, folder+"/workshop-dear.yaml", workshopDear)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &workshop{
		plant:  open(t, append(options, withAgent("definitions: "+folder+"\n"))...),
		server: base.Server, base: base,
		login: login{System: "workshop", Name: "erp", Settings: user.Settings(), Credentials: map[string]string{"password": user.Password}},
	}
	w.allow("target", base.Server.Address())
	w.allow("writes")
	w.client, w.id = w.connect(w.login)
	return w
}

// named is the login for another connection, to be changed by the caller.
func (w *workshop) named(name string) login {
	l := w.login
	l.Name, l.Site, l.Settings = name, w.site, copied(w.login.Settings)
	return l
}

// hold keeps every statement on the machines waiting until it is let go.
func (w *workshop) hold(t *testing.T) (release func()) {
	t.Helper()
	lock, err := w.base.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "LOCK TABLE machine IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = lock.Rollback() }
}

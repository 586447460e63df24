// Package sqltest starts real, throw-away database servers for tests: PostgreSQL, MariaDB and SQLite.
//
// A server is started once per test binary and shared by its tests; each test makes itself a Database of its own. The
// server listens on a random loopback port, keeps its files in a temporary folder, runs as the distribution's database
// user when the tests run as root, and asks for passwords, as a plant's server does.
//
//	func TestOrders(t *testing.T) {
//		db := sqltest.Postgres(t).Database(t, `CREATE TABLE po (po_id int PRIMARY KEY)`)
//		conn, err := sqldriver.Driver{}.Open(ctx, db.Target())
//
// Nothing is left behind, however the test binary ends: a watchdog process holds a pipe from it, and when the pipe
// closes it stops the server and removes the folder. A test package may still wait for that with Main.
//
// Where a server is not installed the test is skipped with the reason, or fails if GANTRY_REQUIRE_ALL is set.
package sqltest

// Package sqldriver is the connectors.Driver for SQL databases: PostgreSQL, MySQL and MariaDB, SQLite, SQL Server and
// Oracle.
//
// # Statements
//
// A definition names its parameters, `WHERE po_id = :po_id`; the package's lexer finds them outside of quotes and
// comments and renders them in the dialect's own form. Values only ever travel as bound parameters. The identifiers of
// filters and orders must be plain names, and are quoted. A statement with a second one behind it is refused.
//
// A query with filters, an order or a limit wraps the definition's statement:
//
//	SELECT * FROM (<statement>) q WHERE q.status IN (?, ?) AND q.modified >= ? AND (q.modified > ? OR …) ORDER BY … LIMIT n
//
// SQL Server asks more of a statement that is wrapped: it begins with SELECT, not with WITH, every column has a name of its
// own, and it has no ORDER BY without TOP.
//
// The keyset is written out because row values, `(a, b) > (?, ?)`, do not use an index on MariaDB and do not exist on SQL
// Server. PostgreSQL, MariaDB and SQLite flatten the wrapping, so that an index on the ordered columns is used.
//
// # Sessions
//
// A session can only read, unless a unit of work opens it: PostgreSQL's and MySQL's sessions default to read-only
// transactions, SQLite's are query_only. SQL Server and Oracle have no such session: there it is the login's rights that
// count. Sessions run in UTC and READ COMMITTED. A server-side time limit a little longer than ours ends what a vanished
// agent left behind; it is lifted for streams.
//
// The pool holds twice Limits.Concurrency sessions, and one for Check. Half of them serve calls (a Read, a unit of work),
// the other half only reads that are marked with connectors.Nested, made while another one's rows are open. So a call
// that waits for its children never waits for a session that another such call holds, and the pool cannot deadlock.
//
// # Time and cancellation
//
// Limits.Timeout bounds each wait for the system: for a session, for the first row, between two rows, for an effect. It
// does not bound a stream as a whole, nor the consumer's own time. Cancelling a context ends the statement at the server:
// PostgreSQL by a cancel request, SQL Server by an attention, Oracle by a break, SQLite by an interrupt, MySQL by KILL
// over a second connection, because its protocol has no such thing. A session whose call was cancelled is closed.
//
// # Values
//
// As connectors.Row says. Decimals are strings as the system prints them. SQLite has no type for time: text in a column
// declared DATE, DATETIME or TIMESTAMP is read as a time.Time, and a time.Time is bound as "2006-01-02 15:04:05", with a
// fraction only if there is one, which is what SQLite's own functions write. A definition whose table holds another form
// selects CAST(column AS TEXT) and declares text_datetime. A datetime of SQL Server keeps its 1/300 of a second: 0.003 is
// read as 0.003333333, so that a page can go on after it.
//
// What it never does: look into an error's text, log a login, or open a connection or a file other than through the
// Target.
package sqldriver

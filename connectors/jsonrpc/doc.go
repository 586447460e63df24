// Package jsonrpc is the connectors.Driver for systems that are called by method and parameters in JSON over HTTP. Its dialects, each in files
// of its own behind one interface (dialect.go):
//
//   - 2.0: systems that keep to JSON-RPC 2.0 and add nothing;
//   - odoo: the external API of the ERP Odoo;
//   - tryton: that of the ERP Tryton (6.0), which is near to JSON-RPC and is not it.
//
// # Queries
//
// Odoo and Tryton keep their records in models that can be queried:
//
//	list:
//	  model: purchase.purchase                     # search_read
//	  domain: [[party.active, "=", true]]          # what holds always, in the system's own language; parameters as in calls
//	  context: {active_test: false}                # over that of the login (its company, its language)
//	  columns:
//	    id: id
//	    vendor: party as record                    # a record's id; as record: it is ordered by that
//	    vendor_name: party.name                    # Tryton: through a relation. Odoo: partner_id as name
//	    total: total_amount as decimal             # as decimal, date, datetime, float, boolean (Odoo): what the value is
//	    modified: [write_date, create_date]        # the first that is not null
//	    etag: _timestamp
//
// Filters, order and the position of a page become conditions of the domain, and never its offset: pages neither skip nor repeat records. A
// stream is read page by page.
//
// Everywhere, the records that a call gives can be queried:
//
//	list:
//	  method: order.list
//	  named: {from: {$offset: true}, most: {$size: true}, status: {$equal: status}}
//	  rows: items                                  # path of the records in the answer; "." is all of it
//	  total: count                                 # path of how many there are; without it, pages are asked for until one is empty
//	  columns: {id: id as integer, status: status, total: sums.net as decimal, changed: updated as datetime}
//	  sorted: [id]                                 # the order in which the system gives them
//
// {$equal: column} is the one value that the query asks of a column, for systems that can filter; every filter is applied here all the same.
// Another order than `sorted` is made here, in passes (package sift). Without $offset one answer is everything. Pages that the system repeats
// are an error, not an endless loop.
//
// # Calls
//
//	create:
//	  method: model.purchase.purchase.create       # Odoo: purchase.order.create
//	  params: [[{party: ":vendor_id", "reference?": ":reference", lines: [[create, [{$each: lines, $do: {…}}]]]}]]
//	  named: {…}                                   # 2.0: in place of params; Odoo: beside them, its kwargs
//	  result: {id: "0"}                            # columns of the effect, by their path in the answer; "." is all of it
//	  affected: count
//	  unchanged: {model: purchase.purchase, id: ":id", since: ":etag"}   # Tryton: else the system refuses, its optimistic lock
//
// A text that is ":name" is the parameter itself, typed; ":name as decimal", "as date", "as datetime", "as float", "as text" (2.0) say how.
// Nothing is ever put together from text: see package template. {$find: model, domain: […], field: name} is the first record's field, null
// where there is none, or what `else` says: for what a form of the system would fill in and a raw call does not.
//
// In 2.0, `batch: [{method: …, params: […]}, {$each: lines, $do: {method: …}}]` makes several calls in one request. It is done when all of it
// is: an answer that is missing, given twice or to none of the calls, and a batch that was done in part, leave the outcome unknown.
//
// # Logins and time
//
// A refusal is final, see package web.
//
//   - 2.0: the login's member `login` is none, basic, bearer (the password is the token) or session: the definition's `protocol: {login: {method:
//     user.login, named: {user: ":login_username", password: {$secret: password}}, token: ".", scheme: Bearer, refused: [-32602]}}`, where
//     refused are the codes of faults that refuse a login, or say that it is over. A definition has a `check`, a call whose result's column
//     `version` is the system's.
//   - odoo: the user's number is asked for once; the password, or an API key, goes with every call.
//   - tryton: session (one login, kept and renewed once when it ends, also in the middle of a stream) or basic.
//
// Limits.Timeout bounds each exchange. A call that is given up closes its connection; the server finds out when it answers. There are no
// transactions: each call is one at the server. Odoo says create_date and write_date to the second and keeps them more exactly: what changed
// after a second is what changed in it or after it, so that nothing is lost and some records come twice.
//
// Failure.Source has http, error (the kind of a fault of Odoo or Tryton), code and data (of JSON-RPC's error), warning, denied: the login
// lacks the right that the call needs; and refused: the login itself was refused.
//
// What it never does: believe an HTTP status alone, take an answer that is to another request, log a login, or send it to another host.
package jsonrpc

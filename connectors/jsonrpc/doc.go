// Package jsonrpc is the connectors.Driver for systems that are called by method and parameters in JSON over HTTP. Its
// dialect is tryton, that of the ERP Tryton (6.0), which is near to JSON-RPC and is not it: there is no member `jsonrpc`,
// `error` is a list, decimals and dates are objects with a `__class__`, and the last parameter is the context.
//
// # Queries
//
//	list:
//	  model: purchase.purchase                     # search_read
//	  domain: [[party.active, "=", true]]          # what holds always; parameters as in calls
//	  context: {active_test: false}                # over that of the login (its company, its language)
//	  columns:
//	    id: id
//	    vendor: party as record                    # a record's id; as record: it is ordered by that
//	    vendor_name: party.name                    # through a relation
//	    total: total_amount as decimal             # as decimal, date, datetime: how the system takes a value to compare
//	    modified: [write_date, create_date]        # the first that is not null
//	    etag: _timestamp
//
// Filters, order and the position of a page become a domain, Tryton's own query language, and never its offset: pages
// neither skip nor repeat records. A stream is read page by page.
//
// # Calls
//
//	create:
//	  method: model.purchase.purchase.create
//	  params: [[{party: ":vendor_id", "reference?": ":reference", lines: [[create, [{$each: lines, $do: {…}}]]]}]]
//	  result: {id: "0"}                            # columns of the effect, by their path in the answer; "." is all of it
//	  rows: "."                                    # it gives records, and can be read; result is then of each of them
//	  unchanged: {model: purchase.purchase, id: ":id", since: ":etag"}   # else the system refuses: its optimistic lock
//
// A text that is ":name" is the parameter itself, typed; ":name as decimal", "as date", "as datetime", "as float" say how.
// "::name" is the text ":name". Nothing is ever put together from text. A member whose name ends in ? is left out where its
// value is null. {$each: list, $do: …} in a list stands for as many members as the input's list has, and parameters in it
// are those of the member. {$find: model, domain: […], field: name} is the first record's field, null where
// there is none, or what `else` says: for what a form of the system would fill in and a raw call does not.
//
// # Logins and time
//
// The login's member `login` is session (one login, kept and renewed once when it ends, also in the middle of a stream)
// or basic. A refusal is final, see package web. Limits.Timeout bounds each exchange. A call that is given up closes its
// connection; the server finds out when it answers. There are no transactions: each call is one at the server.
//
// What it never does: believe an HTTP status alone, log a login, or send it to another host.
package jsonrpc

// Package rest is the connectors.Driver for systems that speak JSON, or answer in XML, over HTTP: each product's way is data of its
// definition. Its dialects are json and xml.
//
// # The product's protocol
//
//	protocol:
//	  login: {by: session, post: /api/login, body: {user: ":login_username", password: {$secret: password}}, token: data.token, prefix: "Bearer "}
//	  prove: {post: /api/refresh}                  # a request that fails without a login
//	  errors: {code: code, message: message, fields: data}
//	  times: {instant: "2006-01-02 15:04:05.000Z"} # as package time's; RFC 3339 unless said
//	  empty_is_null: true                          # the system writes "" where it means nothing
//	  where: {parameter: filter, and: " && ", or: " || ", compare: "{field} {op} {value}", quote: "'", replace: {"'": "\\'"}, refuse_last: "\\", values: 100}
//	  sort: {parameter: sort}                      # also separator, prefix and suffix of a column: prefix: "+"
//	  pages: {by: keyset, size: perPage}
//
// A language without `or` says several values with `in: "{field} in [{values}]"`, or is asked once for each value; its pages by keyset
// go by one column, and it has no null unless `null` says how. `wrap: "[{all}]"` stands around all conditions.
//
// Logins (`by`, or the login's setting `login` where the protocol leaves it to the customer): none, basic (in `header`, where that is not Authorization), bearer, api_key (`header`), session
// (a token out of the answer to a request), oauth2 (client credentials, RFC 6749 section 4.4; `token_address`), ntlm. What is renewed
// (session, oauth2) is renewed ahead of its own end and once where the system says that it is over, also between two pages. A refusal is
// final, see package web. {$secret: name} stands in a login's body and nowhere else.
//
// Pages (`by`): keyset (each page begins after the last record of the one before, by filter and sort; neither skips nor repeats; where the
// order's first column tells records apart, `unique: column` says so, and pages go by it alone; where the answer tells whether there is another page, `next` is that member's path),
// page and offset (numbers; a record that is deleted meanwhile shifts the rest, a last page that reaches back finds that out), link (a path
// in the answer to the next page's link), header (RFC 8288, rel=next), cursor (a token in the answer), none (one answer is everything, as
// without `pages`). Links stay at the connection's host; `rebase: true` takes their path and query there, for systems
// that print a name of their own. A link that was followed before ends the read with a fault.
//
// # Queries
//
//	list:
//	  get: /api/orders                             # segments that are :name are parameters, escaped; :code#:site is two in one
//	  query: {expand: lines, vendor: ":login_vendor"}
//	  rows: items                                  # path of the records in the answer; "." is all of it
//	  each: lines                                  # the members of this list of each record are the rows; `^path` is the record's own
//	  columns: {id: id, total: total as decimal, day: order.day as date, changed: updated as instant, etag: header ETag}
//	  order: [id]                                  # how the system orders its records by itself
//	  none: [404]                                  # statuses that mean: there is none
//
// Protocol members `where`, `sort` and `pages` may stand in a query, for that alone. `where: {parameters: {status: {eq: state}, changed: {gt:
// since}}}` names a query parameter for each comparison of a system that has no language. What a system cannot filter is refused, never
// ignored. A position in a system without keyset pages is found by reading from the beginning.
//
// # Calls
//
//	update:
//	  patch: /api/orders/:id                       # post, put, patch or delete
//	  body: {title: ":title", "due?": ":due_at as date"}   # see package template
//	  headers: {If-Match: ":etag"}                 # left out where null
//	  result: {id: id}                             # columns of the effect, by their path in the answer
//	  affected: 1                                  # of a success; or a path
//	  none: [404]                                  # statuses that mean: affected none
//
// # What is not believed
//
// A status below 300 is not a success where `errors: {when: error}` names a member that is there. A page without records is not believed
// until `prove` has been answered: some systems answer 200 and nothing to a login that has ended. What the driver never does: put a request
// together from a caller's text, log a login, send it to another host, or retry an effect.
package rest

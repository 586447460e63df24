// Package odata is the connectors.Driver for services of OData: version 2 as SAP Gateway speaks it, and version 4. Its dialects are v2 and
// v4. It reads a service's $metadata once, and so knows the types of keys, properties and parameters: a definition names properties, and
// never writes a literal, an option of a query or a layout of a date.
//
// # A service's protocol
//
//	protocol:
//	  service: /sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV   # where $metadata is, under the connection's address; a step may say its own
//	  query: {sap-client: ":login_client"}         # parameters of every request; left out where null
//	  pages: {by: keyset, most: 5000}              # see below
//	  batch: json                                  # v4 alone; multipart unless said
//	  login: {by: session, post: /b1s/v1/Login, body: {UserName: ":login_username", Password: {$secret: password}}}
//
// Logins (`by`, or the login's setting `login` where the protocol leaves it to the customer): none, basic, bearer, oauth2 (client credentials),
// ntlm, session (a request whose answer sets cookies). Cookies are kept with the login, whichever it is. A login that is over (401) is
// renewed once where it can be (oauth2, session), also between two pages; a refusal is final, see package web. The token against forged
// requests (X-CSRF-Token) needs no word: a service that answers 403 with `x-csrf-token: Required` did nothing yet; the token is fetched, with the
// cookie that it belongs to, and the request is sent again, once.
//
// # Queries
//
//	list:
//	  get: A_PurchaseOrder                         # a set, or a path: PurchaseOrders(:id)/Lines, companies(:login_company)/vendors
//
// That is a whole query. A column is a property, by its name in any case: `from: purchaseorder` is PurchaseOrder. What is
// selected follows from the columns that the definition uses, and those of an overlay. The column etag is the record's ETag. The rest is for what is not so
// simple:
//
//	columns: {number: PurchaseOrder, vendor_name: to_Supplier/SupplierName, city: Address/City}   # other names; related records are expanded
//	each: to_PurchaseOrderItem                   # the related records of each record are the rows; `^Name` is the record's own property
//	only: {isactiveentity: true, companycode: ":login_company_code"}   # columns that equal a constant or a parameter
//	filter: PurchaseOrderType ne 'UB'            # what else always holds; a text without parameters
//	query: {sap-language: EN}
//	service: /sap/opu/odata/sap/API_BUSINESS_PARTNER
//	pages: {by: server}
//	none: [404]                                  # statuses that mean: there is none; a path that ends in a key has 404 anyway
//
// A code of digits (Status "01") is a text here: its field says `native: string`, or its zeros would be lost in a filter.
//
// Keys in a path: Orders(:id), Items(PurchaseOrder=:order,Item=:line), Orders(ID=:id,IsActiveEntity=true). Parameters, numbers, true, false and
// 'texts' may stand there; a value is written as the key's type asks.
//
// Pages (`by`): keyset (each page begins after the last record of the one before, by $filter, $orderby and $top; the order of a read that has
// none is the set's key), server (one request, and the service's own pages), skip ($skip and $top, overlapping by one record, so that a
// list that shifts is noticed; a reader who comes back has the list read anew up to where he was: a record that he read last and that is gone
// ends the read with a fault where texts decide what came before it, since their order is the service's own; for the same reason a filter with more
// values than one request takes has one page in such an order). keyset unless said; `most` is the largest $top. The
// service's own links (__next, @odata.nextLink) are followed in all three: their path and query are taken at the connection's own host, whatever host
// they name; one that was followed before ends the read with a fault. The size of a page is asked for (Prefer: odata.maxpagesize), and
// not relied on.
//
// # Calls
//
//	create: {post: A_PurchaseOrder, body: {Supplier: ":vendor_id", "PaymentTerms?": ":payment_terms", to_PurchaseOrderItem: [{$each: lines, $do: {Material: ":item_id", OrderQuantity: ":quantity"}}]}}
//	update: {patch: A_PurchaseOrder(:purchaseorder), if_match: ":etag", body: {PaymentTerms: ":payment_terms"}}
//	delete: {delete: A_PurchaseOrder(:purchaseorder), if_match: ":etag"}
//	approve: {post: ReleaseOrder, query: {PurchaseOrder: ":purchaseorder"}}                 # v2: a function import, its parameters in the query
//	approve: {post: PurchaseOrders(:id)/com.example.approve, if_match: ":etag", body: {}}   # v4: an action, bound, or by its name alone
//
// A call is one of post, patch, merge (PATCH by its name of version 2), put, delete, or a get without effect. `body` is a template (package
// template) without `as`: each member is written as its property's type asks, and a member that is no property is a fault before anything is
// sent. `if_match` is left out where null. `result: {id: ID}` names columns of what the answer holds, as `columns` does; without it they are its key, by its
// properties' names, and etag. `none: [404]` are statuses that mean: affected none; otherwise a success affects one.
//
// # Batches
//
//	update:
//	  batch:                                       # one change set of $batch: all of it or nothing
//	    - {patch: "PurchaseOrders(:id)", if_match: ":etag", body: {Note: ":title"}}
//	    - {each: lines, post: "PurchaseOrders(:^id)/Lines", body: {Item: ":item_id"}}   # one for each of the input's lines; `:^` is the order's
//
// One member that fails voids the group, whatever the other members, or the batch's own status, say. The result is the first member's.
//
// # Columns that no statement names
//
// `discover: {}`: the properties of the list's records that $metadata describes and no field comes from, with their labels (sap:label, Common.Label); those
// that neither a create nor an update takes are marked. A time of version 2 of which only the day counts (sap:display-format) is a date. They are
// carried as columns, and compared by the service; they are written where a body says `$custom: true`.
//
// # What is not believed
//
// A status below 300 with an error in its body; a list that is none; an empty list that a login which may have ended was given; a change set of which a member failed or is
// missing. What the driver never does: put a literal together from a caller's text without its type's quoting, log a login, send it to
// another host, or retry an effect.
package odata

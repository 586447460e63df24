// Package soap is the connectors.Driver for systems that speak SOAP over HTTP, document/literal. Its dialects are soap11 and soap12.
//
// # Calls
//
// A step holds the element that goes into the envelope's body, as the system's manual shows it, with parameters where values go:
//
//	create:
//	  soap_action: urn:plant:po:CreateOrder
//	  body: |
//	    <CreateOrder xmlns="urn:plant:po"><Order>
//	      <Vendor>{vendor_id}</Vendor>           # mandatory: without a value the call is refused, before it is sent
//	      <OrderDate>{ordered_at? as date}</OrderDate>   # ? leaves the element out
//	      <Item gantry:each="lines"><Material>{item_id}</Material></Item>
//	    </Order></CreateOrder>
//	  result: {number: Number}                   # columns of the effect, by XPath from the answer's element
//	  affected: Count
//
// A parameter is the whole text of an element or an attribute. It is written as text, with XML's escaping, and nothing else: no value of
// a caller's becomes markup. Kinds are text, integer, decimal, boolean, date and datetime.
//
// # Queries
//
//	list:
//	  soap_action: urn:plant:po:ListOrders
//	  body: '<ListOrders xmlns="urn:plant:po"><Status>{=status}</Status><Offset>{$offset}</Offset><Max>{$size}</Max></ListOrders>'
//	  records: Order                             # XPath from the answer's element
//	  counted: Order                             # what $offset counts, where that is not the records: of Order/Item the orders
//	  total: Total                               # how many there are; without it, pages are asked for until one is empty
//	  columns: {number: Number, status: Status, ordered: OrderDate as date}
//	  sorted: [number]                           # the order in which the system gives them
//
// {=status} is the one value that the query asks of a column, for systems that can filter; every filter is applied here all the same.
// Another order than `sorted` is made here, in passes (package sift). Pages that the system repeats are an error, not an endless loop.
//
// # Logins and faults
//
// The login's member `login` is basic, wsse-text, wsse-digest (UsernameToken of WS-Security 1.1) or none. A refusal is final, see package web.
// A fault is read whatever the HTTP status is. Failure.Status is the system's own code: that of the detail, else the fault's; Source has
// http, fault (Client, Server, …) and detail, the texts of the detail's elements by their names.
//
// What it never does: believe a 200 that holds no envelope, read a document type, put a request together from text, or try a refused login again.
package soap

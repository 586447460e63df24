// Package web is what every driver over HTTP stands on, so that none of them does it in a way of its own.
//
// A Client speaks to one origin, the scheme, host and port of the connection's address, and to no other: the login
// never leaves it. Redirects are followed only for requests without an effect, only within the origin, and never for a
// caller's own (Passing); a link that a system hands out (Client.Resolve) must lead there too, or is re-based onto it where a
// definition says that the system is known by another name inside the plant. Connections go through the Target's dialer,
// where the plant's policy sits.
//
// Everything that a server sends is bounded: headers, bodies as they are and as they unpack, the depth and the number of
// members of JSON. Numbers stay json.Number, so that no decimal passes through a float.
//
// A Failure tells whether an effect may have reached the system: it may from the moment the request began to be written. What
// a status means is the driver's affair, for there are systems that answer 200 to a refusal.
//
// A Session keeps a login that is used for many calls: one login at a time, renewed when the system says that it is over. A refused login
// is never tried again by itself, because that locks accounts.
//
// The package never retries an effect, never logs a header, a body or a query, and knows no driver.
package web

// Package webhooks tells organisations what happens, at the addresses that they gave: it sends what the store's outbox holds,
// signed as the Standard Webhooks specification says (https://www.standardwebhooks.com).
//
// A message is in the outbox from the transaction in which its event was written, so none is lost; it leaves it when the
// receiver has answered with 2xx, so one may come twice, with the same id. Messages about one subject (a record, a
// connection) go one after the other; a subject whose first message fails holds up no other subject, and a receiver that does
// not answer holds up no other receiver: it is left alone for a while, longer each time, and then tried with one message.
//
// What is due stands in the store (store.Outbox). Three kinds of jobs look at it (jobs.go): Look finds the webhooks for which
// something is due, Deliver sends what is due to one of them, Tidy gives up and forgets what is old.
//
// A message goes to public addresses only, unless the relay's configuration names a network: that is checked for the address
// that is dialled (guard.go), since a name can lead anywhere. Redirects are not followed, proxies not used, and of an answer
// no more than its status counts.
package webhooks

// Package auth says who is calling the relay, what they may do, and how often.
//
// A token is read (ParseToken: a typing error is told without a look-up), found by its hash and answered from memory from
// then on (Authenticator). A revocation takes effect at once, on the next request and on what is under way: the context
// that Authenticate gives ends with the reason as its cause. That is why the relay writes through Authenticator.Store,
// which knows which writes end whom. What a principal may do is one table (Permission), and Limiter bounds the rate.
//
// The package never keeps a token, only its hash, and never says whether something exists that is not the caller's.
package auth

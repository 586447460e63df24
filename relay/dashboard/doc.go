// Package dashboard is the face of the relay: pages on which a person who has never seen an API finds out what is connected,
// what is broken and why, and acts on it.
//
// Every figure on a page comes from the public API: the pages call it in the same process, with the key of the person who
// looks, so that rights, limits and the audit are those of that key. The HTML is made here, by html/template; a little
// script (static/live.mjs) keeps figures young and is never needed.
//
// A session is a cookie that holds the key, sealed under a secret of the relay (session.go): the relay keeps nothing of it
// but how often everybody with the key was signed out, which the cookie names, too. So a key that is revoked ends its
// sessions at once, and so does who signs out everywhere; what streams looks once a second whether its session holds. The package has no store
// of its own, and never talks to an agent.
package dashboard

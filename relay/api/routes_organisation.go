package api

import (
	"gantry/relay/auth"
	"gantry/relay/openapi"
)

func (r *routes) ofOrganisation() {
	r.own("GET /credits", "credits.get", auth.View, r.api.getCredits, openapi.Description{
		Tag: "Organisation", Summary: "Show the pool of credits",
		Text:    "Each connection uses as many credits as its system's tier says, from its creation to its disconnect. The pool is told whole, those who use it by pages.",
		Query:   openapi.Paging(),
		Answers: []openapi.Answer{openapi.Gives[creditsDocument](200, "The pool, and a page of who uses it.")},
	})
	r.own("GET /keys", "keys.list", auth.Manage, r.api.listKeys, openapi.Description{
		Tag: "Organisation", Summary: "List the organisation's keys",
		Text:    "The keys, also those that were revoked. Their tokens cannot be shown: only hashes are kept.",
		Query:   openapi.Paging(),
		Answers: []openapi.Answer{openapi.Gives[list[keyDocument]](200, "A page of keys.")},
	})
	r.audited("POST /keys", "keys.create", auth.Manage, r.api.createKey, openapi.Description{
		Tag: "Organisation", Summary: "Make a key",
		Text:    "A key with the role `admin` may do everything, `support` reads and diagnoses, `read` reads. Its token is shown this once.",
		Body:    openapi.Takes[keyWish]("The new key."),
		Answers: []openapi.Answer{openapi.Gives[keyDocument](201, "The key, with its token.").With(openapi.Location)},
	})
	r.audited("DELETE /keys/{id}", "keys.delete", auth.Manage, r.api.deleteKey, openapi.Description{
		Tag: "Organisation", Summary: "Revoke a key",
		Text:    "The next request with it is refused, and streams that run with it end within a second.",
		Answers: []openapi.Answer{openapi.Empty(204, "The key is revoked.")},
	})
	r.own("GET /key", "key.get", auth.View, r.api.getOwnKey, openapi.Description{
		Tag: "Organisation", Summary: "Show the key that asks",
		Text:    "Its name, its role and when it ends: what a program may do with it.",
		Answers: []openapi.Answer{openapi.Gives[ownKeyDocument](200, "The key.")},
	})
	r.audited("POST /key/sign-out", "key.sign_out", auth.View, r.api.signOut, openapi.Description{
		Tag: "Organisation", Summary: "Sign out everywhere",
		Text:    "Ends every sign-in to the dashboard with the key that asks, at once and in every browser. The key itself stays good.",
		Answers: []openapi.Answer{openapi.Gives[ownKeyDocument](200, "The key.")},
	})
	r.own("GET /audit", "audit.list", auth.Manage, r.api.listAudit, openapi.Description{
		Tag: "Organisation", Summary: "Read the audit",
		Text: "Who changed what, and what support ran, oldest first. Entries are only ever added. To follow it, ask again with `after` set to the last id that you have seen: nothing is missed.",
		Query: openapi.Paging(
			openapi.TextParameter("after", "The id of an entry: only those behind it. Not together with `cursor` or `last`."),
			openapi.Number("last", "Only the last so many. Not together with `after`, `cursor` or `limit`.", 1, largestPage, 0),
			openapi.TextParameter("before", "The id of an entry, together with `last`: the last so many of those before it. It leads back, a page at a time.")),
		Answers: []openapi.Answer{openapi.Gives[list[auditDocument]](200, "A page of entries.")},
	})
}

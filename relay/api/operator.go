package api

import (
	"context"
	"net/http"

	"gantry/relay/admin"
	"gantry/relay/auth"
)

type operatorKey struct{}

// Operator serves the API to whoever owns the relay, without a key: for the admin socket, and for nothing that a network
// reaches. It sees and changes what an organisation has, and reads no plant's data.
func (a *API) Operator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := auth.OperatorOf(r.Header.Get(admin.HeaderOrganisation))
		a.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), operatorKey{}, p)))
	})
}

// operator gives the owner's principal where the request came through Operator.
func operator(ctx context.Context) *auth.Principal {
	p, _ := ctx.Value(operatorKey{}).(*auth.Principal)
	return p
}

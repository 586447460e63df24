package configs

import "testing"

func TestPassthroughCovers(t *testing.T) {
	for _, test := range []struct {
		pattern, verb, target string
		want                  bool
	}{
		{"GET /api/orders", "GET", "/api/orders", true},
		{"GET /api/orders", "GET", "/api/orders/", false},
		{"GET /api/orders", "GET", "/api/orders/1", false},
		{"GET /api/orders", "GET", "/api/Orders", false},
		{"GET /api/orders", "POST", "/api/orders", false},
		{"GET /api/orders", "HEAD", "/api/orders", false},
		{"GET /api/*/records", "GET", "/api/vendors/records", true},
		{"GET /api/*/records", "GET", "/api/a/b/records", false},
		{"GET /api/*", "GET", "/api/", false},
		{"GET /api/**", "GET", "/api/", true},
		{"GET /api/**", "GET", "/api/a/b/c/", true},
		{"GET /api/**", "GET", "/api", false},
		{"GET /api/**", "GET", "/apis/a", false},
		{"GET /**", "GET", "/", true},
		{"GET /", "GET", "/", true},
		{"GET /", "GET", "/a", false},
		{"GET /Orders(*)", "GET", "/Orders('4500')", true},
		{"GET /Orders(*)", "GET", "/Orders", false},
		{"GET /Orders(*)", "GET", "/Orders('4500')/Lines", false},
		{"GET /a%20b", "GET", "/a%20b", true},
		{"READ model.party.party.search", "READ", "model.party.party.search", true},
		{"READ model.party.party.search", "CALL", "model.party.party.search", false},
		{"READ model.party.*.search", "READ", "model.party.address.search", true},
		{"READ model.*.search", "READ", "model.party.party.search", false},
		{"CALL model.**", "CALL", "model.party.party.create", true},
		{"CALL model.**", "CALL", "model", false},
	} {
		p, err := ParsePassthrough(test.pattern)
		if err != nil || p.Covers(test.verb, test.target) != test.want {
			t.Errorf("%q covers %s %s: not %t, %v", test.pattern, test.verb, test.target, test.want, err)
		}
	}
}

func TestPassthroughRefuses(t *testing.T) {
	for _, pattern := range []string{
		"", "GET", "get /a", "TRACE /a", "GET  /a", "GET a", "GET //a", "GET /a//b", "GET /a/../b", "GET /./a", "GET /..;x/a", "GET /;x",
		"GET /a?b=1", "GET /a#b", "GET /a b", "GET /a\\b", "GET /**/a", "GET /a**", "GET https://erp/a", "GET /ä", "* /a",
		"READ", "READ /a", "READ model..x", "READ model.", "READ .x", "CALL **.x", "CALL a b",
	} {
		if p, err := ParsePassthrough(pattern); err == nil {
			t.Errorf("%q was taken: %+v", pattern, p)
		}
	}
}

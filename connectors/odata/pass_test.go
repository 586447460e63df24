package odata_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

func pass(t testing.TB, conn connectors.Conn, method, path string, query url.Values) (connectors.Passed, error) {
	t.Helper()
	p := connectors.Passage{Form: connectors.OverHTTP, Effect: method != http.MethodGet, Method: method, Path: path, Query: query}
	return conn.(connectors.Passer).Pass(t.Context(), p)
}

// TestPass passes requests to a service that asks for its token against forged requests, and whose login is one of every call.
func TestPass(t *testing.T) {
	s := newService(t, "v2")
	s.routes["GET /svc/"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Csrf-Token", "t0k")
		http.SetCookie(w, &http.Cookie{Name: "SAP_SESSION", Value: "c00kie"})
		_, _ = w.Write([]byte(`{"d":{}}`))
	}
	s.routes["POST /svc/Release"] = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Csrf-Token") != "t0k" {
			w.Header().Set("X-Csrf-Token", "Required")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	s.answer("GET /svc/Locked", http.StatusUnauthorized, `{"error":{"code":"401"}}`)
	s.answer("GET /svc/Orders", http.StatusOK, `{"d":[]}`)
	conn := s.open(t, map[string]any{"query": map[string]any{"sap-client": "100"}})

	got, err := pass(t, conn, http.MethodPost, "/svc/Release", url.Values{"Order": {"'45'"}})
	if err != nil || got.Status != http.StatusNoContent {
		t.Fatalf("%d, %v", got.Status, err)
	}
	if seen := s.requests("POST /svc/Release"); len(seen) != 2 || seen[1].line != "POST /svc/Release?Order='45'&sap-client=100" {
		t.Errorf("requests: %+v", seen)
	}
	if !slices.Contains(got.Login, "t0k") || !slices.Contains(got.Login, "c00kie") || len(got.Login) != 3 {
		t.Errorf("what it was sent with: %q", got.Login)
	}
	for range 2 {
		if got, err := pass(t, conn, http.MethodGet, "/svc/Locked", nil); err != nil || got.Status != http.StatusUnauthorized {
			t.Errorf("a path that wants another login: %d, %v", got.Status, err)
		}
	}
	got, err = pass(t, conn, http.MethodGet, "/svc/Orders", nil)
	if err != nil || got.Status != http.StatusOK {
		t.Errorf("afterwards: %d, %v", got.Status, err)
	}
	if seen := s.requests("GET /svc/Orders"); seen[0].line != "GET /svc/Orders?sap-client=100" || seen[0].header.Get("DataServiceVersion") != "2.0" {
		t.Errorf("what the protocol needs: %+v", seen)
	}
}

func TestPassRefuses(t *testing.T) {
	s := newService(t, "v4")
	conn := s.open(t, map[string]any{"query": map[string]any{"sap-client": "100"}, "login": map[string]any{"by": "session", "post": "/svc/Login", "body": map[string]any{}}})
	for path, code := range map[string]fault.Code{
		"/svc/$batch": fault.InvalidRequest, "/svc/$BATCH/": fault.InvalidRequest, "/svc/$batch;v=1": fault.InvalidRequest, "/svc/login": fault.PolicyDenied,
	} {
		_, err := pass(t, conn, http.MethodPost, path, nil)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code || f.Outcome != fault.NotSent {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := pass(t, conn, http.MethodGet, "/svc/Orders", url.Values{"SAP-Client": {"200"}}); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("another client: %v", err)
	}
	if sent := s.requests(""); len(sent) != 0 {
		t.Errorf("sent: %+v", sent)
	}
}

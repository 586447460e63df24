package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"gantry/docs"
	"gantry/relay/openapi"
)

func (r *routes) ofDocumentation() {
	r.open("GET /openapi.json", "openapi", r.api.openAPI, openapi.Description{
		Tag: "Documentation", Summary: "Fetch this document",
		Text:    "The OpenAPI 3.1 document of the whole API, without a token. `/docs` shows it to people.",
		Answers: []openapi.Answer{openapi.Gives[json.RawMessage](200, "The document.")},
	})
}

// openAPI serves the document as it was generated.
func (a *API) openAPI(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", openapi.JSON)
	h.Set("Content-Length", strconv.Itoa(len(docs.OpenAPI)))
	h.Set("Cache-Control", "public, max-age=300")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(docs.OpenAPI) // the caller may be gone
	return nil
}

// Package docs holds those documents of this folder that a program shows: the pages are for people, the OpenAPI document is
// served. It is generated (`make generate`), and never built at run time.
package docs

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of the public API, as the relay serves it.
//
//go:embed openapi.json
var OpenAPI []byte

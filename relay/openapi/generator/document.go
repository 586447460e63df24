package generator

import "github.com/google/jsonschema-go/jsonschema"

// The part of OpenAPI 3.1 that the document uses (https://spec.openapis.org/oas/v3.1.1.html), in the order in which it is
// written.

type document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       info                             `json:"info"`
	Servers    []server                         `json:"servers"`
	Tags       []tag                            `json:"tags"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components components                       `json:"components"`
	ErrorCodes []errorCode                      `json:"x-error-codes"`
}

type errorCode struct {
	Code      string `json:"code"`
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Meaning   string `json:"meaning"`
	Advice    string `json:"advice"`
	Hop       string `json:"hop"`
	Scope     string `json:"scope"`
	Retryable bool   `json:"retryable"`
}

type info struct {
	Title       string  `json:"title"`
	Version     string  `json:"version"`
	Summary     string  `json:"summary"`
	Description string  `json:"description"`
	License     license `json:"license"`
}

type license struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier"`
}

type server struct {
	URL         string `json:"url"`
	Description string `json:"description"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type operation struct {
	ID          string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Roles       []string              `json:"x-roles,omitempty"`            // of organisation keys that may call it
	Entity      string                `json:"x-entity-operation,omitempty"` // what it is on every entity: "list"
	Security    []map[string][]string `json:"security"`
	Parameters  []*parameter          `json:"parameters,omitempty"`
	Body        *body                 `json:"requestBody,omitempty"`
	Responses   map[string]*response  `json:"responses"`
}

type parameter struct {
	Ref         string             `json:"$ref,omitempty"`
	Name        string             `json:"name,omitempty"`
	In          string             `json:"in,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Description string             `json:"description,omitempty"`
	Style       string             `json:"style,omitempty"`
	Explode     *bool              `json:"explode,omitempty"`
	Schema      *jsonschema.Schema `json:"schema,omitempty"`
	Example     any                `json:"example,omitempty"`
}

type body struct {
	Description string            `json:"description"`
	Required    bool              `json:"required,omitempty"`
	Content     map[string]*media `json:"content"`
}

type response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]header `json:"headers,omitempty"`
	Content     map[string]*media `json:"content,omitempty"`
}

type media struct {
	Schema  *jsonschema.Schema `json:"schema,omitempty"`
	Example any                `json:"example,omitempty"`
}

type header struct {
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Schema      *jsonschema.Schema `json:"schema,omitempty"`
	Example     any                `json:"example,omitempty"`
}

type components struct {
	Schemas    map[string]*jsonschema.Schema `json:"schemas"`
	Responses  map[string]*response          `json:"responses"`
	Parameters map[string]*parameter         `json:"parameters"`
	Headers    map[string]header             `json:"headers"`
	Security   map[string]scheme             `json:"securitySchemes"`
}

type scheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Format      string `json:"bearerFormat"`
	Description string `json:"description"`
}

package remote

import _ "embed"

// OpenAPI is the document of protocol 1 in YAML: what a platform serves, with the meaning of every
// command in words.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Package docs is the documentation; README.md says which page to read. Its Go code is tests, which
// hold the pages to the programs, and referencedoc, which writes two of them.
package docs

//go:generate go run ./referencedoc api ../host-sdk/cmd/switchboard/internal/api/openapi.json reference-api.md
//go:generate go run ./referencedoc contract ../host-sdk/integration reference-contract.md

package integration

import "time"

// OptionsSchemaRequest is empty today.
type OptionsSchemaRequest struct{}

// OptionsSchema is the form.
type OptionsSchema struct {
	// JSON Schema draft-07, verbatim; secrets carry format password, writeOnly and x-secret.
	Schema []byte
	Format int // x-schema-version
}

// ValidateOptionsRequest is a document to be checked before it is saved.
type ValidateOptionsRequest struct {
	Options      []byte // JSON object, with secrets
	Format       int    // 0 = today's
	Instance     Instance
	Destinations []Destination
	Online       bool // may ask the foreign service
	Now          time.Time
}

// ValidateOptionsResponse is the verdict. With Problems the document must not be saved.
type ValidateOptionsResponse struct {
	Problems []Problem
	Warnings []Problem
	Options  []byte // the document to save: migrated to Format, unknown fields kept
	Format   int
	Fallback FallbackAnswers
}

// Problem is a refused or doubtful value.
type Problem struct {
	Path    string // option key, or key and index as in "banned_phones/2"
	Code    string // required, type, format, range, unknown, conflict, …
	Message string // names the field by its label and the remedy; never holds a secret value
}

// FallbackAnswers are what the host answers while the plugin cannot. The host replaces
// [FallbackURLMark] in Wait by the URL of the same request with a counter and the KeepFields in its
// query, escaped as the Content-Type of Wait needs it: as part of a string in JSON
// (application/json), as it is in text/plain, for XML in all other types.
type FallbackAnswers struct {
	Wait      Response
	LastWords Response
	// Keep lists form fields to carry over in the retry URL, such as pressed digits.
	Keep []string
	// For is how long Wait is given before LastWords; 0 means ten minutes.
	For time.Duration
}

// FallbackURLMark stands for the retry URL in FallbackAnswers.Wait.
const FallbackURLMark = "{{retry_url}}"

// FallbackCountField and FallbackSinceField are the query fields a host adds to the retry URL: how
// many fallback answers this request has had, and when the first was given (Unix seconds).
const (
	FallbackCountField = "_lcr_retry"
	FallbackSinceField = "_lcr_since"
)

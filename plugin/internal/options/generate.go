package options

// The table of options in the operator guide is written from the schema, so that an option is
// described in one place.
//go:generate go run ./optionsdoc ../../../docs/reference-options.md

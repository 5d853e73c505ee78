package cli

// The reference of all commands comes from the descriptions in their tags.
//
//go:generate go run ./clidoc ../../../../../docs/reference-cli.md

// Package settings decides what the switchboard host runs with: a flag wins over the environment,
// the environment over the "settings" section of the switchboard file, that over the default.
//
//	settings.go  Flags, File, Resolve and the defaults
//	secret.go    values that must never be printed
//	mailer.go    the mail sender that a setting describes
//	keys.go      secrets that are made at the first start and kept in the data directory
//	goalert.go   the keys of a GoAlert server
//	people.go    who may use the host
//	platform.go  the platform, with its secrets
//	testexit.go  ending like a crash, for tests
package settings

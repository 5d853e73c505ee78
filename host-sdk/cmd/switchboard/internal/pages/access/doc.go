// Package access serves the pages on which admins see who may use the host, and who did what.
//
//	access.go  the list of accounts, logins and tokens; making and revoking tokens
//	audit.go   the audit
//	ways.go    sending a person a test
package access

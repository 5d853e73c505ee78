// Package wire holds the JSON of protocol 1 between a host and a platform behind HTTP: types with
// explicit names, and their conversion by hand to and from the contract's values. What a member
// means is said in the OpenAPI document of package remote.
//
//	alert.go   commands and snapshots
//	people.go  capabilities, teams, who is on call, routers, audiences
//	meta.go    /protocol, problems, hints
//	unknown.go members that the protocol does not have, with those that were likely meant
//
// A reader takes an absent member and null for the zero value and passes over members it does not
// know, so that a minor release can add some. A writer writes lists as [], times as RFC 3339 in
// UTC.
package wire

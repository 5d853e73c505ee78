// Package endpoint is everything below an integration's public address: which event a path stands
// for, the addresses that Twilio is given and the tokens in them, whether a request is Twilio's,
// and the files of the hold music.
//
// # Map
//
//	route.go  paths to events
//	links.go  addresses and their tokens; names of queues; which fields of a request are ours
//	trust.go  signatures: what is known of a request's origin
//	music.go  the hold music: its addresses, and serving our own
//	cache.go  results that are kept, by their key
package endpoint

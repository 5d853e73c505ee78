// Package twilio talks to Twilio: it reads webhooks, checks their signatures and calls the REST
// API.
//
// It uses the packages client and rest/api/v2010 of twilio-go, never its root package, which links
// every product of Twilio. This package adds what twilio-go lacks: contexts, limits of bodies,
// closing the bodies of errors, retries after status 429, regions that always have their edge, and
// a check of identifiers before they become part of a path.
//
// # Map
//
//	sid.go         shapes of identifiers
//	webhook.go     form fields of a webhook as a typed value; lenient, it never fails
//	signature.go   X-Twilio-Signature
//	region.go      regions, their edges and API hosts
//	client.go      the REST client: configuration, reading one resource, listing several
//	transport.go   context, base address, limits, retry after 429
//	errors.go      Twilio's errors as kinds of the contract
//	refusal.go     whether a refused call is the number's fault or the account's
//	account.go calls.go queues.go recordings.go numbers.go  the operations
package twilio

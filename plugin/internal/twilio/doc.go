// Package twilio speaks with Twilio: it reads webhooks, checks their signatures and calls the REST
// API.
//
// It stands on twilio-go's client and rest/api/v2010 packages (never on its root package, which
// links every product). What those leave open is closed here: context, body limits, error bodies
// that are closed, retry after 429, a region that always has its edge, identifiers that are checked
// before they become part of a path.
//
// # Map
//
//	number.go      telephone numbers as Twilio sends them: E.164, withheld, spelled on the keypad
//	sid.go         shapes of identifiers
//	webhook.go     form fields of a webhook as a typed value; lenient, never fails
//	signature.go   X-Twilio-Signature
//	region.go      regions, their edges and API hosts
//	client.go      the REST client: configuration and what every request shares
//	transport.go   context, base address, limits, retry after 429
//	errors.go      Twilio's errors as kinds of the contract
//	calls.go queues.go recordings.go numbers.go  the operations
package twilio

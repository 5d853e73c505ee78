// Package httpkit is what every HTTP answer of the host goes through, whichever part gives it:
// metrics, the request log, recovery from panics, security headers; and the one shape of a JSON
// answer.
//
//	json.go        JSON answers and errors
//	refusal.go     errors for people, and their words
//	middleware.go  request ids, log, panics, metrics, security headers
//	attempts.go    wrong tokens, counted by where they come from
//	client.go      the client's address behind trusted proxies
//	media.go       prompt media at their public addresses; audio with ranges
package httpkit

// Package attacks tries to get in, to be served what is for others, to wake somebody and to fill
// the host up, through the real programs: switchboard, the plugin and a simulated Twilio. Each row
// of its tables names what is tried and what must hold.
//
//	target_test.go   the hotline that is attacked, and what must not change there
//	requests_test.go sending a request exactly as written
//	calls_test.go    calls whose requests a test makes itself
//	webhooks_test.go requests that are not Twilio's
//	unproven_test.go calls that Twilio does not confirm, too many calls, errors of Twilio's
//	login_test.go    log-in, sessions, the JSON API, other websites
//	content_test.go  what callers and forms bring along, on pages, in mails and in the log
//	secrets_test.go  where secrets must not be
//	flood_test.go    too large, too many, too slow
//	machine_test.go  files that other users of the machine could have changed
//	fetch_test.go    addresses that the host is made to fetch
package attacks

// Package login lets people in: it checks the API token, remembers a browser by a signed cookie,
// and asks whom the browser acts as.
//
//	login.go     log-in, log-out, and Protect for the pages behind them
//	session.go   the signed cookie of a log-in
//	me.go        the page that asks whom the browser acts as
package login

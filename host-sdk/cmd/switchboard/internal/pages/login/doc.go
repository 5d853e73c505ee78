// Package login lets people in: with an OpenID provider, a link by mail, the API token, or the link
// in a page, which opens one alert. It shows people their own account, and asks those with the API
// token whom they act as. Package people decides; here are the pages.
//
//	login.go  log-in, log-out, and Protect for the pages behind them
//	page.go   the link in a page
//	me.go     one's own account; whom a browser with the API token acts as
//	mine.go   one's own shifts
package login

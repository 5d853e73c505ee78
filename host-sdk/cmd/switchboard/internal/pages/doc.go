// Package pages is what people see of switchboard in a browser: log-in, alerts, calls, who is on
// call and integrations.
//
// Every page is HTML made here and works without JavaScript. A small script makes it live: when the
// event stream says that something has changed, it reads the page again and replaces its live parts
// (data-live).
//
//	pages.go       Config, New, the routes
//	layout/        what all pages share: the frame, errors, words, static files
//	login/         log-in and log-out, whom a browser acts as
//	live/          alerts, calls, on call
//	integrations/  the pages that configure integrations
package pages

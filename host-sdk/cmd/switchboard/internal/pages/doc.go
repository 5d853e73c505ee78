// Package pages is what people see of switchboard in a browser: log-in, alerts, calls, who is on call, integrations.
//
// Every page is HTML made here and works without JavaScript. The little script makes it lively: when the event stream says
// that something changed, the page is read again and its live parts (data-live) are exchanged.
//
//	pages.go       Config, New, the routes, errors as pages
//	render.go      templates and what every page is given
//	static.go      style sheet and scripts, under names that change with their content
//	session.go     the signed cookie of a log-in
//	throttle.go    slowing down whoever tries tokens
//	login.go       log-in, log-out
//	who.go         in whose name somebody acts
//	words.go       states and times in plain words
//	names.go       names of teams and people
//	alerts.go      the list of alerts, one alert, what can be done with it
//	calls.go       the list of calls, one call
//	oncall.go      who is on call, the next handoff, gaps
//	integrations.go the list, the form, warnings
//	save.go        saving a form: problems beside the fields, what was entered is kept
//	submission.go  reading a submitted form with its files
//	actions.go     a plugin's actions; deleting
//	once.go        a form that is sent twice is acted on once
package pages

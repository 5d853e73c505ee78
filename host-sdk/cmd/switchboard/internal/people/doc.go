// Package people knows who uses the host's pages and its API, and what they may do. Pages and API
// ask it the same two questions of a request: whose is it ([People.Identify]), and does that allow
// an action ([Identity.May]).
//
//	role.go      roles, actions, and the one table that says which role may do what
//	identity.go  whose a request is
//	people.go    People, and the accounts of the switchboard file
//	session.go   the cookie of a browser and its login in the store
//	token.go     the API token of the settings, and named tokens of programs
//	link.go      the link by mail that logs somebody in
//	page.go      the link in a page, which opens one alert
//	openid.go    signing in with an OpenID provider
//	audit.go     who did what
//	guard.go     what stands before the API
package people

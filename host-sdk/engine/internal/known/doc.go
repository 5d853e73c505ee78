// Package known reads what the engine must know of integrations, plugins, the platform and its
// people, while a caller waits: from memory if it is fresh, else from whoever knows, and if they do
// not answer, the last known copy for as long as one is better than nothing.
//
// # Map
//
//	known.go     Known; integrations
//	instance.go  an integration as its plugin sees it: options with today's secrets, media
//	plugins.go   what plugins say of themselves
//	platform.go  what the platform can do; destinations
//	people.go    people and who is on call; copies made before a call needs them
//	names.go     names and notes of a platform, cleaned
//	findings.go  findings, and saving the host's own
package known

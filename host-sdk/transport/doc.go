// Package transport is the glue to go-plugin for both sides of the wire: what a plugin's main needs
// to serve an [integration.Integration], and what a host needs to talk to it.
//
// Calls go one way, from the host to the plugin; go-plugin's broker is not used. Messages are
// limited to [integration.MaxMessageBytes] in both directions, every call has a deadline, and a
// panic in a handler is an internal error rather than the end of the process.
//
// # Map
//
//	main.go         Main: the whole main function of a plugin, with its describe argument
//	serve.go        Serve: handshake, drain, signals, watching the parent
//	logger.go       PluginLogger: log lines that keep their level and fields on the way to the host
//	handshake.go    cookie, protocol versions, size limits
//	profile.go      profiles of a plugin process
//	client.go       Conn: the host's end of a connection
//	inprocess.go    DialInProcess: the same wire without a process, for tests
//	interceptor.go  recovering, deadlines
//	gate.go         counting calls and draining
//
// The supervisor of plugin processes is package launcher.
package transport

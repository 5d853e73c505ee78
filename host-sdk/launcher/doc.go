// Package launcher starts a plugin process, watches it, replaces it when it dies or freezes, and
// stops it. To its user a launched plugin is an [integration.Integration] that is nearly always
// there.
//
//	plugin, err := launcher.Launch(ctx, launcher.Config{Dir: "plugins/livecall", Logger: log})
//	if err != nil { … }
//	defer plugin.Stop(ctx)
//	outcome, err := plugin.HandleWebhook(ctx, request)
//
// # What is repeated
//
// Handle calls, Describe, OptionsSchema and ValidateOptions without Online are pure: when the
// process went away or froze in the middle, they are repeated once on its successor, within the
// caller's deadline. Perform, RunAction and online validation may have had an effect and are never
// repeated here; their error then has [integration.ErrPluginGone] in its chain.
//
// # What is trusted
//
// The manifest read at launch, and the executable only if its SHA-256 is the manifest's, which is
// checked again before every start, on the open file that is then run. The process gets none of the
// host's environment but a short list and what the manifest names. Its socket lies in a directory
// that only this user can enter, and both sides show each other certificates made for this start.
//
// # When it does not stay up
//
// The first restart is at once, those after it are 100 ms, 200 ms, … 30 s apart; 60 s of health
// start the row anew. After 5 losses within 10 minutes the state is failed: calls are refused at
// once rather than kept waiting, and a start is tried each 30 s, or by [Plugin.Restart].
// HandleWebhook is another matter, as a person is on the phone: whatever the state, it has a start
// tried at once, at most one a second, and waits for its result.
//
// # Map
//
//	config.go      what the host decides
//	state.go       states, Status, telling the host about changes
//	policy.go      back-off and budget: pure
//	plugin.go      Launch and the life of the current process
//	replace.go     restarting, upgrading, stopping
//	call.go        the calls: waiting for a process, repeating, telling "gone" from "failed"
//	process.go     starting and ending one process with go-plugin
//	child.go       the operating system's process: group, pipes, exit
//	executable.go  running the very file that was checked
//	socketdir.go   the private directory
//	environ.go     the environment of the process
//	output.go      log lines
//	failure.go     why a start failed, in one line
//	system_*.go    what differs between operating systems
package launcher

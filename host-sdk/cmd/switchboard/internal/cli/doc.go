// Package cli is the command line of the switchboard host.
//
//	cli.go             the commands, parsing, exit status
//	serve.go           serve
//	status.go          status
//	config.go          config check, config push, config sample
//	db.go              db copy
//	oncall.go          oncall
//	whowouldanswer.go  whowouldanswer
//	token.go           token create, token list, token revoke
//	plugin.go          plugin list, verify and trust
//	platform.go        platform openapi
//	platformtest.go    platform test
//	setupgoalert.go    platform setup goalert
//	alert.go           alert list, alert show, alert ack, alert resolve
//	call.go            call list
//	completion.go      completion for bash, zsh and fish
//	backup.go          backup, restore
//	delete.go          recording delete, alert delete, forget
//	doctor.go          doctor
//	init.go            init
//	initplugin.go      what init asks for the plugin
//	initnext.go        what init says at its end
//	jsonlines.go       the flag --json
//	man.go             man: manual pages
//	markdown.go        the manual as Markdown
//	override.go        override add, list and remove
//	plugininstall.go   plugin install, plugin remove
//	rekey.go           rekey
//	stop.go            how a command is told to end
//	stats.go           stats
//	usertest.go        user test
package cli

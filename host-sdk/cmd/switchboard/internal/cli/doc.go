// Package cli is the command line of the switchboard host.
//
//	cli.go             the commands, parsing, exit status
//	serve.go           serve
//	status.go          status
//	config.go          config check
//	db.go              db copy
//	oncall.go          oncall
//	whowouldanswer.go  whowouldanswer
//	token.go           token create, token list, token revoke
//	plugin.go          plugin list, plugin verify
//	platform.go        platform openapi
//	platformtest.go    platform test
//	setupgoalert.go    platform setup goalert
//	completion.go      completion for bash, zsh and fish
package cli

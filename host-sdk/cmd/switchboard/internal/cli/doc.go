// Package cli is the command line of the switchboard host. The commands themselves are in packages
// by subject; package command is what they have in common.
//
//	cli.go         the tree of commands, parsing, exit status
//	version.go     version
//	completion.go  completion for bash, zsh and fish
//	man.go         man: manual pages
//	markdown.go    the manual as Markdown
package cli

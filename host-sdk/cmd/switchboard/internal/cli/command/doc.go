// Package command is what the commands of switchboard have in common: what they may touch, the
// flags that most of them have, and how they print and end. It knows no command.
//
//	surroundings.go  what a command may touch of the outside world
//	ask.go           the flags of commands that ask the running host
//	file.go          the switchboard file that the flags name
//	lines.go         the flag --json of commands that answer in lines for people
//	print.go         values for people
//	exit.go          errors that say how a command ends
//	stop.go          how a command is told to end
package command

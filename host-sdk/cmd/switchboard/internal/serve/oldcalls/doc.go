// Package oldcalls copies the history of alerts into the records of their calls, for calls of
// releases that kept it on the alert alone.
//
//	oldcalls.go  the copying, once for each database
package oldcalls

// Package calls has the commands that look at calls, alerts and recordings, and act on them.
//
//	alert.go      alert list, alert show, alert ack, alert decline, alert escalate, alert resolve
//	call.go       call list, call show
//	note.go       note add, note list, note delete
//	listflags.go  the flags that narrow both lists
//	delete.go     recording delete, call delete, alert delete, forget
//	stats.go      stats
package calls

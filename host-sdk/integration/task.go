package integration

import "time"

// LongestTakeover is after how much time at most a host begins work that another host has claimed
// and does not do, since it is frozen or cut off from everything. (What a dead host had claimed, it
// begins within seconds.) A task whose NotAfter comes sooner may then be given up without an
// attempt.
const LongestTakeover = 40 * time.Second

// Task is one piece of I/O that the plugin performs for the host, later and repeatably, or a timer.
//
// (Name, Generation) identifies it within its session: a task of a lower generation that has not
// started is replaced, one of the same or a lower generation than a known one is ignored. Tasks of
// one name run one after the other.
type Task struct {
	Name       string
	Generation int64
	Timer      bool // true: no Perform; HandleTask is called when it is due
	// true: forget tasks of this name that have not started, up to this generation.
	Cancel bool
	At     time.Time // not before; zero = at once
	// A task not done by then comes back as a failure of KindDeadline; zero = an hour after At.
	NotAfter time.Time
	Payload  []byte // the plugin's own
	Format   int    // of Payload
	Priority int    // lower first among tasks of one pace; 0 is normal
	// PaceKey names what limits the task, such as a foreign account: a host starts tasks of one key
	// at least PaceEvery apart, whatever their instances, which take turns.
	PaceKey   string
	PaceEvery time.Duration
}

// PerformRequest asks for one piece of I/O.
type PerformRequest struct {
	Facts   Facts // Session as it is now, Alert as last known; Answers empty
	Task    Task
	Attempt int // from 1
}

// TaskResult is what Perform found out.
type TaskResult struct {
	Payload []byte // the plugin's own, at most 64 KiB
	Media   []MediaContent
}

// MediaContent is a medium that the host is to keep.
type MediaContent struct {
	Name        string
	ContentType string
	Data        []byte
	Duration    time.Duration
}

// TaskEvent says why HandleTask is called.
type TaskEvent string

// The task events.
const (
	TimerDue      TaskEvent = "timer_due"
	TaskDone      TaskEvent = "task_done"
	TaskFailed    TaskEvent = "task_failed"    // finally: a final kind, or NotAfter passed
	CommandFailed TaskEvent = "command_failed" // an alert command failed finally
)

// Names of timers that the host starts by itself, since minor 1. A plugin that does not know them
// does nothing; one must not use the names for timers of its own.
const (
	// TimerPersonFree comes to a session that waits for a person ([SessionUpdate.WaitsFor]) after
	// another session has let one go.
	TimerPersonFree = "person-free"
	// TimerPersonWanted comes to a live session whose call has ended (Call.Ended) and that occupies
	// a person whom a caller's session has begun to wait for, so that it may let the person go:
	// callers come first. Such hints may be lost.
	TimerPersonWanted = "person-wanted"
	// TimerHostStarted comes to every live session after a start of the host, newest session first
	// and paced, so that a call that ended while the host was away is noticed.
	TimerHostStarted = "host-started"
	// TimerHostChanged comes to the live sessions of an instance whose state has changed, such as
	// one that was deleted.
	TimerHostChanged = "host-changed"
	// TimerCallerSilent comes to a live session once its caller has not been heard of
	// ([Facts.SeenAt]) for a minute and a half, up to half a minute later. Such hints may be lost.
	TimerCallerSilent = "caller-silent"
)

// Task names by which the host says, since minor 1, what became of a mail of the session. A plugin
// that does not know them does nothing; one must not use them for tasks of its own.
const (
	// TaskMail is the name of a [TaskFailed]: one mail was finally not delivered. Payload is the
	// address, or empty where the recipients resolved to nobody; Failure says why.
	TaskMail = "mail"
	// TaskMailSent is the name of a [TaskDone]: the mail server has taken the mail to one address,
	// which is the payload. It is a name of its own, as plugins take the other for a failure.
	TaskMailSent = "mail-sent"
)

// TaskRequest is a timer, a result or a final failure.
type TaskRequest struct {
	Facts   Facts
	Event   TaskEvent
	Task    Task          // of timers and tasks
	Command *AlertCommand // of CommandFailed
	Result  []byte        // TaskDone: TaskResult.Payload
	Media   []MediaRef    // TaskDone: where TaskResult.Media was stored
	Failure *Error        // TaskFailed, CommandFailed
}

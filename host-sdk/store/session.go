package store

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Session is a session as it was last committed.
type Session struct {
	integration.Session
	Integration string
	Revision    int64 // of the options, pinned at its first commit
	AlertKey    string
	Occupies    []string
	WaitsFor    []string
	Media       []string // references of media that belong to the session
	Live        bool
	ExpiresAt   time.Time
	// SeenAt is when the caller was last heard of, as of [Sessions.StoreSeen]; zero: nobody has
	// said. A commit does not change it.
	SeenAt time.Time
	Call   *integration.CallView
	Told   *Told // nil: nothing of the alert is in the call's story yet
	// Alert is what the host remembers of the session's alert; nil for a session that was begun by
	// a release which remembered nothing.
	Alert *AlertMemory
}

// AlertMemory is what the host remembers of a session's alert. It is stored as JSON.
type AlertMemory struct {
	Commands CommandState // what becomes of the alert's commands
	Last     int64        // number of the last command
	// Command and Change are the numbers of the last command and the change of the newest snapshot
	// that a handler has seen; 0: none. Read names the reading it came from if the platform gives
	// no change numbers: Change then counts the readings.
	Command, Change int64
	Read            string
}

// CommandState says whether an alert's commands are given to the platform.
type CommandState string

// The command states.
const (
	// The platform makes no alert before it is routed, and it is not routed yet.
	CommandsHeld  CommandState = ""
	CommandsGiven CommandState = "given" // they are given to the platform
	// It was resolved before it was routed: the platform never hears of it.
	CommandsDropped CommandState = "dropped"
)

// Told says what of a session's alert the story of its call holds, so that a change is told once.
type Told struct {
	ID, URL string
	Status  integration.AlertStatus
	Layer   int
	Round   int
	Acks    []string // ids of acknowledgements, the oldest first
}

// Codes of the conflicts that Commit and FinishItem tell apart: after the first a handler runs
// again on the fresh session, after the second there is nothing left to do, and after the third the
// same commit is made with Items in place of Together.
const (
	CodeSessionMoved = "session_moved"
	CodeItemGone     = "item_gone"
	CodeApart        = "apart"
)

// Together is what a commit writes for a platform whose alerts are in the database of the store.
type Together struct {
	Lane       string // of the alert's commands: nothing may wait in it
	Statements []platform.Statement
}

// InDatabase is implemented by stores whose commits can hold Together.
type InDatabase interface {
	// Database is what the store is kept in; whoever's is the same can write together with it.
	Database() any
}

// Commit is what one handler run decided, to be written in one transaction.
type Commit struct {
	Integration string
	Key         string
	// Version is the session version the handler saw; 0 = there was no session. If it is no longer
	// so, nothing is written and the error's kind is conflict.
	Version int64
	// Session replaces the session (Version, Key, Integration, CreatedAt and UpdatedAt are set by
	// the store; Revision is kept from the first commit; a zero ExpiresAt is 30 days after Now).
	// nil leaves it as it is; the version is compared all the same.
	Session *Session
	// Free names users whom the handler was told to be free, and whom Session occupies. If by now
	// another session occupies one of them, or has waited for them for longer (see Occupied),
	// nothing is written and the error's kind is conflict: of two calls that decide at once, one
	// rings a person.
	Free []string
	// Release and Drop name a lane of this Integration and Key, before Items join it; "": none.
	// What is held in it is released: it waits from now on, due at Now. Or it is dropped: removed.
	Release, Drop string
	// Items join the outbox in this order, waiting, or held if their phase is PhaseHeld, as items
	// of this Integration and Key. Tasks and timers follow the generation rule of integration.Task,
	// where a known task is one that the outbox holds in any phase, apart from Done; an item with
	// Cancel set only removes.
	Items []Item
	// Claimed is called with each of Items that names an Owner and is the first of its lane, once
	// it is committed: it is claimed and started with the commit (Attempt 1), and its owner's until
	// its Lease. One that has to wait for others of its lane is nobody's. nil: no item is claimed.
	Claimed func(Item)
	// Done is the outbox item this commit consumes: it is deleted in the same transaction. If it no
	// longer exists (another process consumed it) nothing is written and the error's kind is
	// conflict. 0 = none.
	Done     int64
	Findings []integration.Finding
	// Together is written in the same transaction. If something waits in its lane, or a statement
	// that must change a row changes none, nothing at all is written and the error is a conflict
	// with CodeApart. nil: nothing.
	Together *Together
	// Call adds to the record of the call. nil leaves it as it is.
	Call *CallUpdate
	Now  time.Time
}

// Seen says when the caller of a session was last heard of.
type Seen struct {
	Integration string
	Key         string
	At          time.Time
}

// SessionFilter narrows ListSessions; zero fields do not.
type SessionFilter struct {
	Integration string
	LiveOnly    bool
	CallsOnly   bool      // with a call view
	From        string    // calls from this number or address, as in CallView.From
	Since       time.Time // created at or after it
	Limit       int       // 0 = 100
}

// Sessions keeps the state of calls.
type Sessions interface {
	// Session reads one. None: not_found.
	Session(ctx context.Context, integrationID, key string) (Session, error)
	// SessionByAlert finds the session whose AlertKey this is, the newest of several. None:
	// not_found.
	SessionByAlert(ctx context.Context, integrationID, alertKey string) (Session, error)
	// SessionsByKey finds sessions of a key in any integration (for pages that know a call's id
	// alone).
	SessionsByKey(ctx context.Context, key string) ([]Session, error)
	// ListSessions returns sessions, the newest first.
	ListSessions(ctx context.Context, filter SessionFilter) ([]Session, error)
	// Occupied says which live session of the integration occupies each user or, if none does,
	// waits for them; the oldest of several. It leaves out the session exceptKey and, of the
	// sessions that wait, those that are younger than it; a session that does not exist is younger
	// than all. For this, a session whose call has ended (Call.Ended) is younger than all whose
	// calls have not.
	Occupied(ctx context.Context, integrationID, exceptKey string) (map[string]string, error)
	// WaitingFor returns the keys of the live sessions of an integration that wait for any of these
	// users, the oldest first, those whose calls have ended after all others.
	WaitingFor(ctx context.Context, integrationID string, users []string) ([]string, error)
	// Commit writes one outcome, whole or not at all, and returns the session's new version
	// (unchanged without Session).
	Commit(ctx context.Context, c Commit) (int64, error)
	// StoreSeen stores when callers were last heard of, in one statement for all. Of a session that
	// does not live nothing is stored. Where a later time is known already, it stays. No version
	// changes.
	StoreSeen(ctx context.Context, list []Seen) error
	// SilentSessions lists live sessions whose caller was last heard of, as of StoreSeen, at or
	// after from and before to, the longest silent first; at most limit.
	SilentSessions(ctx context.Context, from, to time.Time, limit int) ([]Seen, error)
	// SessionUnchanged reports whether a session has this version still, and reads its SeenAt. It
	// costs much less than to read the session again.
	SessionUnchanged(ctx context.Context, integrationID, key string, version int64) (seenAt time.Time, ok bool, err error)
	// DeleteExpired removes sessions whose ExpiresAt has passed, with their outbox items, and says
	// how many. It also removes what DeleteIntegration has left and nothing needs any more, and
	// logins that have ended.
	DeleteExpired(ctx context.Context, now time.Time) (int, error)
}

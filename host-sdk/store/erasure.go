package store

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Why something was deleted, see [Erasure].
const (
	CauseDeleted   = "deleted"   // a person deleted it
	CauseRetention = "retention" // its retention was over
	CauseForgotten = "forgotten" // its caller was forgotten
)

// Erasure is what was deleted in the store and is still to be deleted at the foreign service. It is
// written in the transaction that deletes, so that a host which dies afterwards leaves nothing
// behind.
type Erasure struct {
	ID          int64
	Integration string
	Key         string                 // of the call's session
	Media       []integration.MediaRef // the recordings; nil: all of the call
	Whole       bool                   // what the foreign service keeps of the call itself, too
	Cause       string
	AskedAt     time.Time
	// When it is tried next; while an attempt is under way, when its lease ends.
	Due     time.Time
	Attempt int    // claims, from 1
	Owner   string // who claimed it last
	Reason  string // why the last attempt failed, for people; "": there was none
	GivenUp bool   // it is not tried again
}

// Deletion says who deletes something, and why.
type Deletion struct {
	By    string // for people: an account's e-mail address, a token's name; "": the host by itself
	At    time.Time
	Cause string
}

// Erasures keeps what is still to be deleted at the foreign services.
type Erasures interface {
	// ClaimErasures leases what is due at now, until now plus lease, the oldest first, at most
	// limit.
	ClaimErasures(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) ([]Erasure, error)
	// FinishErasure removes a claimed one, and adds the line to the story of its call, if that has
	// a record. Without effect if somebody else has claimed it since.
	FinishErasure(ctx context.Context, e Erasure, line StoryLine) error
	// FailErasure notes why an attempt failed, and when the next one is due; givenUp: there is
	// none. Without effect if somebody else has claimed it since.
	FailErasure(ctx context.Context, e Erasure, due time.Time, reason string, givenUp bool) error
	// ListErasures lists those of an integration, or of all (""), the oldest first, at most limit.
	ListErasures(ctx context.Context, integrationID string, limit int) ([]Erasure, error)
	// ExpireErasures removes those that were asked for before a time, done or not, and says how
	// many.
	ExpireErasures(ctx context.Context, before time.Time) (int, error)
}

// CallRef names the record of a call.
type CallRef struct{ Integration, Key string }

// OldCalls asks for records whose retention may be over.
type OldCalls struct {
	Ended      time.Time // that ended at or before it
	Recordings bool      // only those with a recording that is not deleted
	// Now and Until: what [Retention.LookAtOld] returns, nobody gets again before Until, so that of
	// several hosts one looks at a record.
	Now, Until time.Time
	Limit      int
}

// Unheard counts the recordings of an integration that nobody has heard.
type Unheard struct {
	Integration string
	Recordings  int
	Oldest      time.Time // when the call of the oldest ended
}

// Retention removes what is old. Each method is one short transaction: between two of them calls
// commit.
type Retention interface {
	// LookAtOld returns records without their parts, those that ended first before the others.
	LookAtOld(ctx context.Context, q OldCalls) ([]Call, error)
	// ExpireCalls removes those of some records that are over since before, and of which every
	// recording was heard, as DeleteCall does. It says how many.
	ExpireCalls(ctx context.Context, calls []CallRef, before time.Time, d Deletion) (int, error)
	// ExpireRecordings deletes the recordings of those of some records that are over since before,
	// and of which every recording was heard, as DeleteRecording does. It says how many. Each
	// record gets the line.
	ExpireRecordings(ctx context.Context, calls []CallRef, before time.Time, d Deletion, line StoryLine) (int, error)
	// UnheardRecordings counts, by integration, those of calls that ended at or before a time.
	UnheardRecordings(ctx context.Context, ended time.Time) ([]Unheard, error)
}

// Forgotten counts what was removed about a caller.
type Forgotten struct {
	Calls      int `json:"calls"`      // records
	Sessions   int `json:"sessions"`   // states of calls
	Recordings int `json:"recordings"` // of the records
	Work       int `json:"work"`       // items of the outbox, such as mails that were not sent
	// Notes, lines, fields, findings and audit lines that named the number.
	Texts int `json:"texts"`
}

// Forgetting removes what is known of a caller.
type Forgetting interface {
	// CallerCalls returns the records of all calls from a number, without their parts, and of
	// sessions from it that have no record what is known of them; at most limit, the newest first.
	CallerCalls(ctx context.Context, number string, limit int) ([]Call, error)
	// ForgetCalls removes calls whole, in one transaction: session, work, record and recordings;
	// each gets an [Erasure] that is Whole. A live one is a conflict, and nothing is removed.
	ForgetCalls(ctx context.Context, calls []CallRef, d Deletion) (Forgotten, error)
	// ForgetText replaces an international number wherever people or the software wrote it about
	// other calls and in the audit, as phone.Replace does, and says in how many places.
	ForgetText(ctx context.Context, number, by string) (int, error)
	// Scrub makes the database let go of what was deleted, as far as it can while it is in use.
	Scrub(ctx context.Context) error
}

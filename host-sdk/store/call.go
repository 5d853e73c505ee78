package store

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Call is the host's own record of a call, the same on every platform. It is written in the commits
// of the call's session and stays when that has expired, until its retention is over.
type Call struct {
	Integration     string
	IntegrationName string // the integration's name when the call was last written
	Key             string // of the session
	Live            bool   // the session is still at work
	View            integration.CallView
	Alert           CallAlert
	StartedAt       time.Time // when the session began
	AnsweredAt      time.Time // when the caller reached a person; zero: not, or it is not known
	UpdatedAt       time.Time // when a commit last wrote the record
	Unheard         int       // recordings that nobody has heard, but for deleted ones

	// The rest is nil in lists.
	Fields     []integration.AlertField // by the label that came first
	Story      []StoryLine              // in the order of the commits
	Recordings []Recording              // the oldest first
	Notes      []Note                   // the oldest first
}

// CallAlert names the alert of a call. Without ID and URL the platform has not shown it yet.
type CallAlert struct {
	Key   string // the plugin's, unique within the integration
	ID    string // the platform's
	URL   string // page for people; "" if the platform has none
	Title string
}

// StoryLine is a sentence about what happened in a call.
type StoryLine struct {
	// Command is the number of the alert command that the line comes from: a record holds one line
	// of a number. 0: it comes from none. Negative: it was copied from the log of an alert from
	// before calls had records, and is its line of that number.
	Command int64
	At      time.Time
	Actor   string // user id; "" for the software
	Text    string
}

// Recording is a medium that belongs to a call, such as a voicemail message. Once it is deleted,
// only this description is left, as long as the record.
type Recording struct {
	Media     integration.MediaRef
	Label     string // such as "Voicemail"
	At        time.Time
	Heard     []Heard   // the first to hear it first
	DeletedAt time.Time // zero: it is there
	DeletedBy string    // as in [Deletion]
}

// Heard says who has heard a recording, and when for the first time.
type Heard struct {
	By string // user id
	At time.Time
}

// RecordingHeard says that somebody has heard a recording of the call.
type RecordingHeard struct {
	Ref string // the medium's; one that the record does not have is passed over
	Heard
}

// Note is what a person wrote about a call.
type Note struct {
	ID   string // set by the store
	At   time.Time
	By   string // user id
	Text string // 1 to MaxNote bytes
}

// MaxNote bounds a note, in bytes: some pages of text.
const MaxNote = 8 << 10

// CallUpdate is what a commit adds to the record of its call. What is zero stays as it is.
type CallUpdate struct {
	// New makes the record if there is none. Without it, a call without a record gets none, so that
	// a late event does not bring back one that was deleted.
	New             bool
	IntegrationName string
	View            *integration.CallView // replaces the view, and Live with it
	Live            bool                  // with View
	Alert           CallAlert             // each field that is not empty
	Fields          []integration.AlertField
	Story           []StoryLine // a line whose command the record has is left out
	Recordings      []Recording // without Heard; a medium that the record has is left out
	Heard           []RecordingHeard
}

// CallFilter narrows ListCalls; zero fields do not.
type CallFilter struct {
	Integration string
	Team        string    // id, as in CallView.Team
	From        string    // number or address, as in CallView.From
	Ended       string    // how it ended, as in CallView.Ended
	Since       time.Time // started at or after it
	Until       time.Time // started before it
	LiveOnly    bool      // in progress for its caller: live, and its view has not ended
	// Over for its caller; the session may still be at work, as with a message to be heard.
	OverOnly bool
	Unheard  bool // with a recording that nobody has heard
	Alerts   bool // with an alert
	// Each word of it is in a number, name, field or note of the call, in any case.
	Text  string
	After string // the cursor of an earlier list: what follows it
	Limit int    // 0 = 100
}

// CallCounts says how the calls that began in a stretch of time ended. Each call that has ended is
// counted once: Calls is the sum of Answered, Messages, HangUps and Missed.
type CallCounts struct {
	// Id, as in CallView.Team; "": the callers reached no team, or all teams together.
	Team     string
	Calls    int
	Answered int // EndConnected: the caller talked with a person
	Messages int // EndMessageLeft
	HangUps  int // EndHungUp: the caller hung up while waiting
	// Every other end: the caller stayed, and neither reached a person nor left a message.
	Missed   int
	Rejected int // EndRejected: not let in, hence not among Calls

	// From the beginning of a call to the conversation, in whole milliseconds, of those answered
	// calls of which it is known.
	Timed       int
	Median, P90 time.Duration // half of them, and nine of ten, waited this long or shorter
}

// Words of CallView.Ended by which calls are counted. Every other word counts as missed.
const (
	EndConnected   = "connected"
	EndMessageLeft = "message_left"
	EndHungUp      = "hung_up"
	EndRejected    = "rejected"
)

// CountFilter says which calls are counted: those that began at or after From and before To.
type CountFilter struct {
	From, To time.Time
	Team     string // only this team's; "": every team's
	ByTeam   bool   // each team for itself; else all together
}

// Calls keeps the records of calls. Commit writes them.
type Calls interface {
	// Call reads a record. None: not_found.
	Call(ctx context.Context, integrationID, key string) (Call, error)
	// CallsByKey reads the records of a key in any integration, the newest first (for pages that
	// know a call's id alone).
	CallsByKey(ctx context.Context, key string) ([]Call, error)
	// CallByAlert reads the record of the call whose alert has this key, the newest of several.
	// None: not_found.
	CallByAlert(ctx context.Context, integrationID, alertKey string) (Call, error)
	// CallsByAlert reads the records of the calls whose alerts have these keys, with their fields
	// and recordings, the newest first.
	CallsByAlert(ctx context.Context, integrationID string, alertKeys []string) ([]Call, error)
	// ListCalls returns records without their parts, the newest first, and a cursor for the next
	// ones; "": there are no more. A cursor that no list returned is invalid. A search that looks
	// through many calls may return fewer than asked for, or none, with a cursor by which it goes
	// on.
	ListCalls(ctx context.Context, filter CallFilter) (calls []Call, next string, err error)
	// CountCalls counts calls by how they ended, in order of the teams' ids. Calls in progress are
	// not counted. Without calls the list is empty.
	CountCalls(ctx context.Context, f CountFilter) ([]CallCounts, error)
	// CountLiveCalls is how many records are live.
	CountLiveCalls(ctx context.Context) (int, error)
	// AddNote adds a note to a record and returns it with its id. No text, or too much, is invalid;
	// no record: not_found.
	AddNote(ctx context.Context, integrationID, key string, n Note) (Note, error)
	// DeleteNote removes a note. None: not_found.
	DeleteNote(ctx context.Context, integrationID, key, noteID string) error
	// RecordingCalls reads the records that have a recording of this medium, deleted or not, the
	// newest first.
	RecordingCalls(ctx context.Context, ref string) ([]Call, error)
	// DeleteRecording deletes a recording, its medium unless another record has it, and the
	// transcriptions among the call's fields ([integration.LabelTranscription]). It adds the line
	// to the story, and an [Erasure]. A live call is a conflict; no such recording, or one that is
	// deleted: not_found.
	DeleteRecording(ctx context.Context, integrationID, key, ref string, d Deletion, line StoryLine) error
	// MarkHeard notes that somebody has heard a recording; for the second time without effect. No
	// such recording: not_found.
	MarkHeard(ctx context.Context, integrationID, key, ref string, h Heard) error
	// DeleteCall removes a record, with the media of its recordings that no other record has, and
	// adds an [Erasure] if there were any. A live call is a conflict; none: not_found.
	DeleteCall(ctx context.Context, integrationID, key string, d Deletion) error
}

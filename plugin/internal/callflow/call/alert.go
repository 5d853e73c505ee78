package call

import (
	"cmp"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Alert is the bookkeeping of the call's one alert.
type Alert struct {
	// Wanted: the alert is created when the call is known to be real. Notes are the lines of its
	// story until then, Repeat what its title says of earlier calls. Quiet: it waits for a message.
	Wanted  bool   `json:"wanted,omitempty"`
	Quiet   bool   `json:"quiet,omitempty"`
	Repeat  string `json:"repeat,omitempty"`
	Notes   []Note `json:"notes,omitempty"`
	Created bool   `json:"created,omitempty"`
	// To be routed as soon as the call is known to be real.
	RouteWanted bool  `json:"route_wanted,omitempty"`
	Routed      bool  `json:"routed,omitempty"`
	Resolved    bool  `json:"resolved,omitempty"` // commanded by us
	Commands    int64 `json:"commands,omitempty"` // numbers given out so far
	// Our last command that changes status or layer: an older snapshot is ignored.
	Decisive int64                   `json:"decisive,omitempty"`
	Status   integration.AlertStatus `json:"status,omitempty"`    // as last observed; "" before
	Layer    int                     `json:"layer,omitempty"`     // as last observed
	Round    int                     `json:"round,omitempty"`     // as last observed
	Acks     []Ack                   `json:"acks,omitempty"`      // in force, as last observed
	SeenAcks []string                `json:"seen_acks,omitempty"` // ids acted upon, oldest first
	// OwnAcks are ids of acknowledgements that we commanded. AckUser is in whose name the last one
	// was commanded and AckCommand its number, until a snapshot includes it.
	OwnAcks    []string  `json:"own_ack_ids,omitempty"`
	AckUser    string    `json:"ack_user,omitempty"`
	AckCommand int64     `json:"ack_command,omitempty"`
	ReadAt     time.Time `json:"read_at,omitzero"` // of the snapshot that last changed something
	// SeenCommand and Change are its last command and the number of the change, by which an older
	// one is told; 0: the host gave no number.
	SeenCommand int64 `json:"seen_command,omitempty"`
	Change      int64 `json:"change,omitempty"`
	// In this round and not paged again since, as last observed.
	Declined []string `json:"declined,omitempty"`
	// Why the platform pages nobody for it although it should; "": it does.
	Unpaged string `json:"unpaged,omitempty"`
	// Reached are the layers that were brought in, by the platform or by us, each once a call.
	Reached []int `json:"reached,omitempty"`
	// Unread: a layer was reached whose people have not been read yet.
	Unread bool `json:"unread,omitempty"`
	// LastLayer: no layer after the newest has anybody on call, as last read.
	LastLayer bool `json:"last_layer,omitempty"`
	// Judged: it was decided what follows from everybody having been tried.
	Judged    bool `json:"judged,omitempty"`
	LeftLayer int  `json:"left_layer,omitempty"` // the last layer that we commanded to leave
	LeftRound int  `json:"left_round,omitempty"`
	// The platform is expected to page the next layer by then.
	EscalateBy time.Time `json:"escalate_by,omitzero"`
	// OldOnCall: who is on call, as last read, is what the platform said a while ago; the story
	// says so.
	OldOnCall bool `json:"old_on_call,omitempty"`
	// FailedAck: the acknowledgement in force came to nothing and cannot be taken back.
	FailedAck bool `json:"failed_ack,omitempty"`
	// The platform could not answer: ask again then.
	AskAgainAt time.Time `json:"ask_again_at,omitzero"`
	// The platform could not say who is on call: ask again then.
	ReadAgainAt time.Time `json:"read_again_at,omitzero"`
	// When acknowledgements were last taken back.
	TakenBackAt time.Time `json:"taken_back_at,omitzero"`
	// Our acknowledgement is in no snapshot yet.
	AckPending bool `json:"ack_pending,omitempty"`
	// Reopening or escalating failed: we ring the layers ourselves.
	Stubborn bool `json:"stubborn,omitempty"`
}

// Note is a line of the story that waits for the alert.
type Note struct {
	Text  string `json:"text"`
	Actor string `json:"actor,omitempty"`
}

// Ack is one acknowledgement, as it is remembered.
type Ack struct {
	ID   string    `json:"id"`
	User string    `json:"user,omitempty"` // "" = not a known person
	At   time.Time `json:"at,omitzero"`
	// Command is the number of our command that made it, where the platform says so; 0: unknown or
	// not ours.
	Command int64 `json:"command,omitempty"`
}

// NewerThan reports whether a snapshot is older than the one that last changed something. A host of
// an earlier release does not number them; then the times at which they were read have to do.
func (a *Alert) NewerThan(snap *integration.AlertSnapshot) bool {
	if snap.Change == 0 {
		return snap.ReadAt.Before(a.ReadAt)
	}
	return cmp.Or(cmp.Compare(snap.LastCommand, a.SeenCommand), cmp.Compare(snap.Change, a.Change)) < 0
}

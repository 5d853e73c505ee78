package integration

import "time"

// AlertStatus is where an alert stands in its life.
type AlertStatus string

// The statuses. Dropped is not terminal: a dropped alert can still be acknowledged.
const (
	AlertQueued       AlertStatus = "queued"       // created, not yet routed
	AlertOpen         AlertStatus = "open"         // routed, waiting for an acknowledgement
	AlertAcknowledged AlertStatus = "acknowledged" // somebody took it
	AlertResolved     AlertStatus = "resolved"
	// Nobody on call, or nobody acknowledged in all layers.
	AlertDropped AlertStatus = "dropped"
	AlertDeleted AlertStatus = "deleted"
)

// AlertSnapshot is an alert as the platform knew it at ReadAt. Platforms only hint that something
// changed; the host reads the snapshot. A handler treats each acknowledgement id once and ignores a
// snapshot older than its own last command, or than one it has seen: of two, the one with the
// smaller LastCommand is the older, then the one with the smaller Change. Times say nothing about
// order, as several machines may have read them.
type AlertSnapshot struct {
	Key              string // ours, see AlertCommand.AlertKey
	ID               string // the platform's
	URL              string // page for people; "" if none
	Status           AlertStatus
	Teams            []string          // ids of the teams it is routed to now
	Layer            int               // escalation layer that is being paged, from 1; 0: none
	Round            int               // from 1; repeats count up
	Acknowledgements []Acknowledgement // those in force, oldest first
	// Declined holds the ids of users who declined in this round and were not paged again since, by
	// the platform's own means or by our command; empty also where the platform does not say. A new
	// round, a later layer that has them too, and reopening the alert page them again. Besides
	// these, only an acknowledgement of their own takes them off: not the next layer, as their
	// phone may still ring, and not an acknowledgement of somebody else.
	Declined    []string
	LastCommand int64 // number of the last of our commands the snapshot includes
	// Change grows with each change of the alert, for as long as it exists. A platform that does
	// not count leaves 0; the host then counts its readings, so that a handler sees 0 only from a
	// host that knows neither. Since minor 1.
	Change int64
	ReadAt time.Time
	// Unpaged says in a sentence why the platform pages nobody for this alert although it should,
	// and what people can do about it: its service is full or in maintenance, say. "": somebody is
	// paged, nobody has to be, or the platform does not say. It counts whatever LastCommand is: a
	// platform that cannot create the alert just now has a snapshot with this reason, of status
	// queued, and goes on refusing the command as unavailable until it can. Since minor 1.
	Unpaged string
}

// Acknowledgement is one person (or automation) saying "mine".
type Acknowledgement struct {
	ID   string // stable; a new acknowledgement by the same person has a new id
	User string // user id; "" = not a known person
	At   time.Time
	// Command is the number of our command that made it; 0: it is not ours, or the platform does
	// not say. Where a platform does not say, an acknowledgement is ours if its user is the one we
	// named and it is first seen in the snapshot that first includes our command.
	Command int64
}

// AlertCommandKind names what a command does.
type AlertCommandKind string

// The command kinds.
const (
	// Returns the existing alert of the key if there is one.
	AlertCreate   AlertCommandKind = "create"
	AlertRoute    AlertCommandKind = "route"     // hands it to teams; queued → open
	AlertLog      AlertCommandKind = "log"       // a line in its log
	AlertAddField AlertCommandKind = "add_field" // a labelled value; same label replaces
	AlertAttach   AlertCommandKind = "attach"    // a stored medium; same medium once
	// In the name of User; nothing if already acknowledged.
	AlertAcknowledge AlertCommandKind = "acknowledge"
	// Undoes acknowledgement Ack; nothing if that is gone; a resolved or dropped alert is opened
	// when Ack is "".
	AlertReopen AlertCommandKind = "reopen"
	// AlertDecline says that User passes this turn; nothing if the user is not being paged.
	AlertDecline AlertCommandKind = "decline"
	// AlertEscalate leaves layer Layer for the next one that has anybody on call. It does nothing
	// if the alert is on another layer, or if no later layer has anybody: a command never drops an
	// alert.
	AlertEscalate AlertCommandKind = "escalate"
	AlertResolve  AlertCommandKind = "resolve" // from any status; nothing if resolved
)

// AlertCommand is conditional and idempotent: running it twice is running it once.
type AlertCommand struct {
	// Counts the commands of one session, from 1; set by the handler, never used twice.
	Number   int64
	Kind     AlertCommandKind
	AlertKey string      // names the alert; one alert per key and instance
	Draft    *AlertDraft // create
	Teams    []string    // route: team ids
	Text     string      // log: a sentence; reopen, escalate, resolve: the reason, for the log
	Actor    string      // who did it, for the log: a user id or ""
	Field    *AlertField // add_field
	Media    *MediaRef   // attach
	Label    string      // attach: such as "Voicemail"
	User     string      // acknowledge, decline: user id
	Ack      string      // reopen: the acknowledgement id it undoes
	Layer    int         // escalate: the layer it leaves, from 1
	Round    int         // escalate: the round it leaves, from 1
	At       time.Time   // when the handler decided it: the time shown in the log
	// Event, of a log command, is what a platform may tell people of beyond the line: EventUnheard,
	// or "". A platform that does not know the word only writes the line. Since minor 1.
	Event string
}

// EventUnheard is the event of a message that nobody has heard after everybody who was to hear it
// had their turn: the alert's team gets one notice.
const EventUnheard = "message_unheard"

// AlertDraft is a new alert.
type AlertDraft struct {
	Title       string
	SpokenTitle string // for platforms that read alerts aloud; "" = Title
	Description string
	Urgency     string
	Fields      []AlertField
}

// FieldFormat says how to show a field.
type FieldFormat string

// The field formats.
const (
	FieldText  FieldFormat = "text"
	FieldPhone FieldFormat = "phone"
	FieldLink  FieldFormat = "link"
)

// AlertField is a labelled value on an alert.
type AlertField struct {
	Label  string
	Value  string
	Format FieldFormat
}

// MediaRef names a stored medium by its content.
type MediaRef struct {
	Ref         string // "media:" and the hex SHA-256 of the content
	Name        string // file name for downloads
	ContentType string
	Bytes       int64
	Duration    time.Duration // 0: unknown
}

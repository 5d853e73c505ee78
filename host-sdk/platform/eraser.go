package platform

import (
	"context"
	"time"
)

// OldAlert is an alert whose retention may be over.
type OldAlert struct {
	ID    string // the platform's own
	Scope Scope
	Key   string // the alert key
	After string // its place in the list
}

// Eraser is implemented by platforms that keep recordings and alerts where the host can delete
// them. Others keep what their own retention says.
type Eraser interface {
	// EraseRecordings is called once media of the alert of a key were deleted: it removes the
	// fields with the label integration.LabelTranscription, and adds the line to the log. The alert
	// may go on naming the media. No alert: not_found.
	EraseRecordings(ctx context.Context, scope Scope, alertKey string, refs []string, line string) error
	// EraseAlert deletes the alert of a key with its log. One that is queued, open or acknowledged
	// is a conflict, with a message for people; none: not_found. KindUnsupported: the platform
	// keeps its own alert, and what was kept here beside it is gone.
	EraseAlert(ctx context.Context, scope Scope, alertKey string) error
	// OldAlerts lists alerts that are resolved or dropped and have not changed since before, at
	// most limit of those behind after, which is "" or the After of the last one of the list
	// before. That EraseRecordings has changed such an alert does not count.
	OldAlerts(ctx context.Context, before time.Time, after string, limit int) ([]OldAlert, error)
	// ExpireAlerts deletes those of some alerts that are still so in one transaction, and says how
	// many. The host leaves out those with a message that nobody has heard.
	ExpireAlerts(ctx context.Context, alerts []OldAlert, before time.Time) (int, error)
	// ForgetText replaces an international number wherever it stands in alerts and their logs, as
	// phone.Replace does, and says in how many places. The host has deleted the alerts of that
	// number's calls before; others may name it too, such as that of a person whose phone it was.
	ForgetText(ctx context.Context, number, by string) (int, error)
}

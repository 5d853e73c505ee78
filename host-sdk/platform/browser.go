package platform

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// AlertBrowser is implemented by platforms whose alerts the host shows, and lets people act on,
// itself.
type AlertBrowser interface {
	// ListAlerts returns alerts, newest first, and a cursor for the next ones; "": there are no
	// more. A cursor that no list returned is invalid. A search that looks through many alerts may
	// return fewer than asked for, or none, with a cursor by which it goes on.
	ListAlerts(ctx context.Context, filter AlertFilter) (alerts []AlertRecord, next string, err error)
	// CountAlerts is how many alerts have one of these statuses.
	CountAlerts(ctx context.Context, statuses ...integration.AlertStatus) (int, error)
	// GetAlert reads one alert by the platform's id. Unknown: not_found.
	GetAlert(ctx context.Context, id string) (AlertRecord, error)
	// Act does what a person asked for. Not possible in this status: conflict, with a message for
	// people. Unknown alert or user: not_found.
	Act(ctx context.Context, id string, action AlertAction, user string) (AlertRecord, error)
}

// AlertFilter narrows ListAlerts; zero fields do not.
type AlertFilter struct {
	Status      integration.AlertStatus
	Integration string
	Team        string    // id; it was sent to this team
	From        time.Time // made at or after it
	Until       time.Time // made before it
	Text        string    // each word of it is in its title, description or fields, in any case
	After       string    // the cursor of an earlier list: what follows it
	Limit       int       // 0 = 100; at most 1000
}

// AlertAction is what a person can do with an alert.
type AlertAction string

// The actions. Reject means "I cannot now": when everybody of the layer rejected, the next layer is
// paged.
const (
	ActAcknowledge AlertAction = "acknowledge"
	ActReject      AlertAction = "reject"
	ActEscalate    AlertAction = "escalate"
	ActResolve     AlertAction = "resolve"
)

// AlertRecord is an alert with its log.
type AlertRecord struct {
	integration.AlertSnapshot
	Integration string
	Title       string
	Description string
	Urgency     string
	Fields      []integration.AlertField
	Attachments []Attachment
	Log         []LogEntry
	Paged       []string // user ids of the people being paged now
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Attachment is a medium kept by the host.
type Attachment struct {
	Label string
	Media integration.MediaRef
	At    time.Time
}

// LogEntry is a line of an alert's log.
type LogEntry struct {
	At      time.Time
	Actor   string // user id, or "" for the software
	Message string
}

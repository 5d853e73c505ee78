package platform

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// AlertBrowser is implemented by platforms whose alerts the host shows, and lets people act on,
// itself.
type AlertBrowser interface {
	// ListAlerts returns alerts, newest first.
	ListAlerts(ctx context.Context, filter AlertFilter) ([]AlertRecord, error)
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
	Limit       int // 0 = 100
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

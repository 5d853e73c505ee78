package store

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Integration is one configured instance of a plugin. Options and TokenKey are secret: encrypted at
// rest.
type Integration struct {
	ID            string
	Plugin        string // plugin id
	Name          string
	Enabled       bool
	Maintenance   bool
	Urgency       string
	Destinations  []platform.Ref
	Revision      int64  // counts saves, from 1
	Options       []byte // JSON object, with secrets
	OptionsFormat int
	SecretFields  []string // option keys whose values are secret
	Fallback      integration.FallbackAnswers
	TokenKey      []byte // 32 bytes, made once
	CreatedAt     time.Time
	UpdatedAt     time.Time
	DeletedAt     time.Time // zero: in use; set by DeleteIntegration
}

// Integrations keeps configured instances. Earlier revisions' options stay readable while a session
// pins them.
type Integrations interface {
	// ListIntegrations returns all instances by name, then id.
	ListIntegrations(ctx context.Context) ([]Integration, error)
	// Integration reads the newest revision. Unknown or deleted: not_found.
	Integration(ctx context.Context, id string) (Integration, error)
	// KeptIntegration reads the newest revision of an instance that is in use, or that was deleted
	// and is still kept (DeletedAt says so). Unknown or gone: not_found.
	KeptIntegration(ctx context.Context, id string) (Integration, error)
	// IntegrationOptions reads the options document (and its format) of one revision: of the
	// newest, of those that sessions pin, and for a day of superseded ones. Unknown: not_found.
	IntegrationOptions(ctx context.Context, id string, revision int64) (options []byte, format int, err error)
	// SaveIntegration writes a new revision and returns its number. in.Revision is the revision it
	// replaces, 0 for a new instance; a mismatch is a conflict, a revision of an unknown or deleted
	// instance not_found. TokenKey of an existing instance is kept; a new one without gets one.
	SaveIntegration(ctx context.Context, in Integration) (int64, error)
	// DeleteIntegration ends an instance, with its findings and the timers of its own session. It
	// is kept with its options, readable by KeptIntegration and IntegrationOptions alone, until it
	// has no live session and no outbox item; DeleteExpired then removes both, at least an hour
	// after the deletion. Its other sessions stay readable until they expire. Unknown or deleted:
	// not_found.
	DeleteIntegration(ctx context.Context, id string) error

	// Findings lists the warnings of an instance, by code.
	Findings(ctx context.Context, id string) ([]integration.Finding, error)
	// CountFindings counts the integrations that have a warning, by its code and severity, in this
	// order.
	CountFindings(ctx context.Context) ([]FindingCount, error)
	// SaveFindings adds or replaces findings by code; severity clear removes.
	SaveFindings(ctx context.Context, id string, findings []integration.Finding) error
}

// FindingCount says how many integrations have a warning of a code and severity.
type FindingCount struct {
	Code         string
	Severity     integration.FindingSeverity
	Integrations int
}

package store

import "context"

// CodeAway is the code of errors which say that the database does not answer at the moment. Their
// text may name its server: it is for operators, not for whoever looks at a page.
const CodeAway = "database_away"

// Store is a host's durable memory. Several processes may share one where the implementation says
// so. Errors are *integration.Error: not_found, conflict, invalid, unavailable.
type Store interface {
	Integrations
	Sessions
	Calls
	Erasures
	Retention
	Forgetting
	Outbox
	Media
	Paces

	// Setting reads a small named value of the whole installation; not_found if absent.
	Setting(ctx context.Context, name string) (string, error)
	// InitSetting stores value unless the name has one already, and returns the one in force.
	InitSetting(ctx context.Context, name, value string) (string, error)

	// SetSetting stores value in place of the one the name has, if any.
	SetSetting(ctx context.Context, name, value string) error

	// Ping is nil when the store can write, and has room for what calls will store: the next commit
	// would succeed. It may be called often; calls at the same time share one probe.
	Ping(ctx context.Context) error
	Close() error
}

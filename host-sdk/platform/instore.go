package platform

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// InStore is implemented by platforms that keep their alerts in the database of the host's store.
// The engine then writes what alert commands change together with the session that gave them, and
// no command waits in the outbox: call and alert are never apart, and a caller's arrival is one
// write. Commands that cannot be decided at once still go through the outbox, and to Apply.
type InStore interface {
	// Database is what the alerts are kept in. The engine uses Decide if the store's is the same
	// (see store.InDatabase).
	Database() any
	// Decide says what commands of one alert change, and writes nothing. cmds is not empty, and its
	// numbers rise. An error, whatever its kind, leaves the commands to Apply, each by itself.
	Decide(ctx context.Context, scope Scope, cmds []integration.AlertCommand) (AlertChange, error)
}

// Statement is a statement of SQL, as the database of the host's store takes it.
type Statement struct {
	Text string // with $1, $2, … for its arguments
	Args []any
	Must bool // it must change a row
}

// AlertChange is a change of one alert that is decided and not written yet.
type AlertChange struct {
	// Statements write it, in this order, if the alert is still as it was when the change was
	// decided: otherwise one of them that must change a row changes none.
	Statements []Statement
	// Snapshot is the alert with the change.
	Snapshot integration.AlertSnapshot
	// Written is called once the statements are committed. Watch gives no hint of this change.
	Written func()
}

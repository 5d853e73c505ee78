package goalert

import (
	"context"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// GoAlert's own settings say for how long it keeps alerts, and [Document], to which our keys are
// bound, deletes none. What is deleted here is what we remember of them.
var _ platform.Eraser = (*Platform)(nil)

// recorded reads the record of an alert that somebody names; not_found if there is none.
func (p *Platform) recorded(ctx context.Context, h platform.Hint) (*record, error) {
	r, err := p.load(ctx, h)
	if err == nil && r == nil {
		err = integration.Errorf(integration.KindNotFound, "nothing is known of alert %q", h.AlertKey)
	}
	return r, err
}

// EraseRecordings implements platform.Eraser: what was said goes out of our copy of the draft.
func (p *Platform) EraseRecordings(ctx context.Context, scope platform.Scope, alertKey string, _ []string, _ string) error {
	h := platform.Hint{Scope: scope, AlertKey: alertKey}
	unlock, err := p.locks.lock(ctx, h)
	if err != nil {
		return err
	}
	defer unlock()
	for try := 1; ; try++ {
		r, err := p.recorded(ctx, h)
		if err != nil {
			return err
		}
		r.Draft.Fields = slices.DeleteFunc(r.Draft.Fields, func(f integration.AlertField) bool { return f.Label == integration.LabelTranscription })
		// Another host may have changed the alert meanwhile; nobody comes back to a deletion.
		if err = p.save(ctx, h, r); integration.KindOf(err) != integration.KindConflict || try == eraseTries {
			return err
		}
	}
}

// eraseTries bounds how often a record is read and written anew while another host changes it.
const eraseTries = 5

// EraseAlert implements platform.Eraser: our record goes. KindUnsupported says that GoAlert keeps
// the alert.
func (p *Platform) EraseAlert(ctx context.Context, scope platform.Scope, alertKey string) error {
	h := platform.Hint{Scope: scope, AlertKey: alertKey}
	r, err := p.recorded(ctx, h)
	if err != nil {
		return err
	}
	// An alert that is still open would lose the record by which commands find it.
	if r.Alert != 0 {
		snap, err := p.Alert(ctx, scope, alertKey)
		if err != nil && integration.KindOf(err) != integration.KindNotFound {
			return err
		}
		if err == nil && snap.Status != integration.AlertResolved && snap.Status != integration.AlertDropped {
			return integration.Errorf(integration.KindConflict, "the alert is %s: resolve it first", snap.Status)
		}
	}
	unlock, err := p.locks.lock(ctx, h)
	if err != nil {
		return err
	}
	defer unlock()
	err = p.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `delete from goalert_alerts where tenant = $1 and integration = $2 and alert_key = $3`, scope.Tenant, scope.Integration, alertKey)
		return err
	})
	// Our part is done; the error says what is left elsewhere.
	if err == nil && r.Alert != 0 {
		err = integration.Errorf(integration.KindUnsupported, "GoAlert keeps its alert %d: what it keeps and for how long, its own settings say", r.Alert)
	}
	return err
}

// OldAlerts implements platform.Eraser: our records are removed earlier than any host would ask,
// see forget.
func (p *Platform) OldAlerts(context.Context, time.Time, string, int) ([]platform.OldAlert, error) {
	return nil, nil
}

// ExpireAlerts implements platform.Eraser, for none.
func (p *Platform) ExpireAlerts(context.Context, []platform.OldAlert, time.Time) (int, error) {
	return 0, nil
}

// ForgetText implements platform.Eraser, for our records: a few of 90 days name the number, and are
// found by what is in them.
func (p *Platform) ForgetText(ctx context.Context, number, by string) (int, error) {
	column := sqldb.Column{Table: "goalert_alerts", Name: "record", Key: "tenant"}
	return p.cfg.DB.ReplaceNumber(ctx, number, by, column)
}

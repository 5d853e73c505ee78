package deletion

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// sweepPage bounds how many records one transaction removes: the commits of calls wait for it.
	sweepPage = 100
	// sweepAgain is when a record that has to be kept is looked at again.
	sweepAgain = 24 * time.Hour
	// unheardNotice is how long before its time a recording that nobody has heard becomes a
	// finding.
	unheardNotice = 30 * 24 * time.Hour
)

// FindingUnheard is the code of the finding that recordings come to the end of their retention
// unheard.
const FindingUnheard = "host-unheard"

// Sweep removes what is old, page by page. Several hosts may do so at the same time: each page is
// one host's. What nobody has heard, and calls whose alert somebody still has to do with, are kept.
func (ds *Deletions) Sweep(ctx context.Context) {
	now := ds.cfg.Clock.Now()
	if ds.cfg.KeepCalls > 0 {
		ds.sweepCalls(ctx, now.Add(-ds.cfg.KeepCalls))
		ds.sweepAlerts(ctx, now.Add(-ds.cfg.KeepCalls))
	}
	if ds.cfg.KeepRecordings > 0 && (ds.cfg.KeepCalls <= 0 || ds.cfg.KeepRecordings < ds.cfg.KeepCalls) {
		ds.sweepRecordings(ctx, now.Add(-ds.cfg.KeepRecordings))
	}
	ds.findUnheard(ctx, now)
	ds.findLongOpen(ctx, now)
	if _, err := ds.patient.ExpireErasures(ctx, now.Add(-2*ErasePatience)); err != nil && ctx.Err() == nil {
		ds.cfg.Log.Error("cannot forget what could not be deleted", "error", err)
	}
}

// sweepPages hands pages of old records to remove, until there are no more.
func (ds *Deletions) sweepPages(ctx context.Context, what string, q store.OldCalls, remove func(calls []store.CallRef) (int, error)) {
	total := 0
	var unread unreadAlerts
	for ctx.Err() == nil {
		q.Now = ds.cfg.Clock.Now()
		q.Until, q.Limit = q.Now.Add(sweepAgain), sweepPage
		page, err := ds.patient.LookAtOld(ctx, q)
		var n int
		if err == nil {
			n, err = remove(ds.settled(ctx, page, q.Ended, &unread))
		}
		if total += n; err != nil {
			if ctx.Err() == nil {
				ds.cfg.Log.Error("cannot delete "+what+" whose retention is over", "error", err)
			}
			break
		}
		if len(page) < sweepPage {
			break
		}
	}
	// An alert that can never be read would keep its call for ever.
	if unread.number > 0 && ctx.Err() == nil {
		ds.cfg.Log.Warn(what+" whose retention is over are kept, as their alerts cannot be read: delete the calls by hand if that does not pass",
			"number", unread.number, "integration", unread.first.Integration, "call", unread.first.Key, "error", unread.why)
	}
	if total > 0 {
		ds.cfg.Log.Info(what+" whose retention is over deleted", "number", total)
		ds.wakeErasing()
	}
}

// settled are the calls of a page that nobody has to do with any more: everything is heard, and the
// alert is over, since before as well where the platform shows its alerts. While the platform
// cannot say, a call is kept, and counted as unread.
func (ds *Deletions) settled(ctx context.Context, page []store.Call, before time.Time, unread *unreadAlerts) []store.CallRef {
	var out []store.CallRef
	for _, c := range page {
		if c.Unheard > 0 {
			continue
		}
		if c.Alert.Key != "" {
			over, err := ds.alertOver(ctx, c, before)
			if err != nil {
				unread.add(c, err)
			}
			if !over {
				continue
			}
		}
		out = append(out, store.CallRef{Integration: c.Integration, Key: c.Key})
	}
	return out
}

// alertOver reports whether the alert of a call is over since before. What cannot be read is not.
func (ds *Deletions) alertOver(ctx context.Context, c store.Call, before time.Time) (bool, error) {
	snap, err := ds.cfg.Alerts.Alert(ctx, ds.cfg.Known.Scope(c.Integration), c.Alert.Key)
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return true, nil
	case err != nil:
		return false, err
	case snap.Status == integration.AlertQueued, snap.Status == integration.AlertOpen, snap.Status == integration.AlertAcknowledged:
		return false, nil
	}
	changed, err := ds.changedAfter(ctx, snap.ID, before)
	return err == nil && !changed, err
}

// unreadAlerts are calls that a sweep keeps as their alerts cannot be read.
type unreadAlerts struct {
	number int
	first  store.Call
	why    error // of the first
}

// add counts one.
func (u *unreadAlerts) add(c store.Call, why error) {
	if u.number++; u.number == 1 {
		u.first, u.why = c, why
	}
}

// changedAfter reports whether an alert that is over has changed after a time: an alert that was
// resolved long after its call is kept as long as any, and its call with it. A platform that does
// not show its alerts cannot say; the end of the call counts then.
func (ds *Deletions) changedAfter(ctx context.Context, id string, before time.Time) (bool, error) {
	if ds.cfg.Browser == nil {
		return false, nil
	}
	record, err := ds.cfg.Browser.GetAlert(ctx, id)
	if kind := integration.KindOf(err); kind == integration.KindNotFound || kind == integration.KindUnsupported {
		return false, nil
	}
	return record.UpdatedAt.After(before), err
}

// sweepCalls removes the records of calls that ended at or before a time, with their recordings.
func (ds *Deletions) sweepCalls(ctx context.Context, before time.Time) {
	ds.sweepPages(ctx, "calls", store.OldCalls{Ended: before}, func(calls []store.CallRef) (int, error) {
		if len(calls) == 0 {
			return 0, nil
		}
		return ds.patient.ExpireCalls(ctx, calls, before, store.Deletion{At: ds.cfg.Clock.Now(), Cause: store.CauseRetention})
	})
}

// sweepRecordings deletes the recordings of calls that ended at or before a time.
func (ds *Deletions) sweepRecordings(ctx context.Context, before time.Time) {
	days := int(ds.cfg.KeepRecordings / (24 * time.Hour))
	ds.sweepPages(ctx, "recordings", store.OldCalls{Ended: before, Recordings: true}, func(calls []store.CallRef) (int, error) {
		if len(calls) == 0 {
			return 0, nil
		}
		d := store.Deletion{At: ds.cfg.Clock.Now(), Cause: store.CauseRetention}
		line := store.StoryLine{At: d.At, Text: fmt.Sprintf("What was recorded was deleted, as recordings are kept for %d days; it is being deleted at the telephone service too.", days)}
		whole := ds.recordingsOf(ctx, calls)
		n, err := ds.patient.ExpireRecordings(ctx, calls, before, d, line)
		if err == nil && n > 0 {
			for _, c := range whole {
				ds.erasePlatform(ctx, c, refsOf(c), fmt.Sprintf("What was recorded was deleted, as recordings are kept for %d days.", days))
			}
		}
		return n, err
	})
}

// recordingsOf reads records with their recordings, where the platform keeps them too.
func (ds *Deletions) recordingsOf(ctx context.Context, calls []store.CallRef) []store.Call {
	if _, ok := ds.cfg.Platform.(platform.Eraser); !ok {
		return nil
	}
	var out []store.Call
	for _, c := range calls {
		if whole, err := ds.cfg.Store.Call(ctx, c.Integration, c.Key); err == nil {
			out = append(out, whole)
		}
	}
	return out
}

// refsOf are the references of the recordings of a call.
func refsOf(c store.Call) []string {
	refs := make([]string, 0, len(c.Recordings))
	for _, r := range c.Recordings {
		refs = append(refs, r.Media.Ref)
	}
	return refs
}

// sweepAlerts deletes old alerts where the platform keeps them for as long as the host says, but
// for those with a message that nobody has heard.
func (ds *Deletions) sweepAlerts(ctx context.Context, before time.Time) {
	eraser, ok := ds.cfg.Platform.(platform.Eraser)
	if !ok {
		return
	}
	total, after := 0, ""
	for ctx.Err() == nil {
		page, err := eraser.OldAlerts(ctx, before, after, sweepPage)
		if n := len(page); n > 0 {
			after = page[n-1].After
		}
		more := len(page) == sweepPage
		if page = ds.withoutUnheard(ctx, page); err == nil && len(page) > 0 {
			var n int
			n, err = eraser.ExpireAlerts(ctx, page, before)
			total += n
		}
		if err != nil && ctx.Err() == nil {
			ds.cfg.Log.Error("cannot delete alerts whose retention is over", "error", err)
		}
		if err != nil || !more {
			break
		}
	}
	if total > 0 {
		ds.cfg.Log.Info("alerts whose retention is over deleted", "alerts", total)
	}
}

// withoutUnheard leaves out the alerts of calls with a message that nobody has heard, and those of
// which the store cannot say so.
func (ds *Deletions) withoutUnheard(ctx context.Context, page []platform.OldAlert) []platform.OldAlert {
	return slices.DeleteFunc(page, func(a platform.OldAlert) bool {
		c, err := ds.cfg.Store.CallByAlert(ctx, a.Scope.Integration, a.Key)
		return c.Unheard > 0 || err != nil && integration.KindOf(err) != integration.KindNotFound
	})
}

// findUnheard raises or clears the findings about recordings that nobody has heard and that are
// soon deleted.
func (ds *Deletions) findUnheard(ctx context.Context, now time.Time) {
	keep := ds.cfg.KeepRecordings
	if keep <= 0 || ds.cfg.KeepCalls > 0 && ds.cfg.KeepCalls < keep {
		keep = ds.cfg.KeepCalls
	}
	if keep <= 0 {
		return
	}
	list, err := ds.patient.UnheardRecordings(ctx, now.Add(unheardNotice-keep))
	if err != nil {
		if ctx.Err() == nil {
			ds.cfg.Log.Error("cannot count what nobody has heard", "error", err)
		}
		return
	}
	integrations, err := ds.patient.ListIntegrations(ctx)
	if err != nil {
		return // the next sweep comes
	}
	count := map[string]store.Unheard{}
	for _, u := range list {
		count[u.Integration] = u
	}
	for _, in := range integrations {
		f := integration.Finding{Code: FindingUnheard, Severity: integration.FindingClear, At: now}
		if u, some := count[in.ID]; some {
			f.Severity, f.Message = integration.FindingWarning, unheardText(u, keep)
		}
		ds.cfg.Known.Show(ctx, in.ID, f)
	}
}

// unheardText says how many recordings wait for somebody to hear them.
func unheardText(u store.Unheard, keep time.Duration) string {
	day := u.Oldest.Add(keep).UTC().Format("2 January 2006")
	if u.Recordings == 1 {
		return fmt.Sprintf("A message that nobody has heard comes to the end of its retention on %s. It is kept until somebody hears it: listen to it, or delete it.", day)
	}
	return fmt.Sprintf("%d messages that nobody has heard come to the end of their retention, the first on %s. They are kept until somebody hears them: listen to them, or delete them.", u.Recordings, day)
}

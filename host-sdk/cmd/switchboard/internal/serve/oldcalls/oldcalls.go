package oldcalls

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// recordsBegan is the setting that says since when calls have records of their own;
	// copied is its value once those before have what their alerts hold.
	recordsBegan = "calls_recorded_since"
	copied       = "copied"
	atOnce       = 8   // their commits share the syncs of the disk
	pageSize     = 200 // read at a time
)

// Copier copies the history and the recordings of the alerts of calls into their records, for the
// calls of releases that kept them on the alert alone. It does so once, beside everything else. It
// belongs to the change from 0.1.0 and can go once nobody upgrades from there.
type Copier struct {
	Store    store.Store
	Platform platform.Platform
	Clock    clock.Clock
	Log      *slog.Logger
}

// Run copies what is there. What fails is tried again at the next start: a call that was copied
// before is left as it is. It returns as soon as there is nothing to do, which is no failure of the
// host.
func (o Copier) Run(ctx context.Context) error {
	browser, ok := o.Platform.(platform.AlertBrowser)
	if !ok {
		return nil
	}
	// The first start of this release fixes the time: later calls have records.
	value, err := o.Store.InitSetting(ctx, recordsBegan, o.Clock.Now().UTC().Format(time.RFC3339Nano))
	if err != nil || value == copied {
		return nil //nolint:nilerr // the next start tries again
	}
	began, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return nil //nolint:nilerr // somebody else's value: nothing is known of older calls
	}
	if err := o.copyAll(ctx, browser, began); err != nil {
		o.Log.Warn("the history of older calls could not be copied from their alerts, will be tried at the next start", "error", err.Error())
		return nil
	}
	if err := o.Store.SetSetting(ctx, recordsBegan, copied); err != nil {
		o.Log.Warn("cannot note that older calls were copied, will be done again at the next start", "error", err.Error())
	}
	return nil
}

// copyAll copies for all calls that began before a time. Calls that have an alert's id were copied,
// or have a record of their own.
func (o Copier) copyAll(ctx context.Context, browser platform.AlertBrowser, began time.Time) error {
	filter := store.CallFilter{Limit: pageSize}
	for {
		calls, next, err := o.Store.ListCalls(ctx, filter)
		if err != nil {
			return err
		}
		var copying errgroup.Group
		copying.SetLimit(atOnce)
		for _, c := range calls {
			if c.StartedAt.Before(began) && c.Alert.Key != "" && c.Alert.ID == "" {
				copying.Go(func() error { return o.copyOne(ctx, browser, c) })
			}
		}
		if err := copying.Wait(); err != nil {
			return err
		}
		if filter.After = next; next == "" {
			return nil
		}
	}
}

// copyOne copies for one call. The numbers of the alert's lines keep a line from being copied
// twice. Negative, as those of commands are positive.
func (o Copier) copyOne(ctx context.Context, browser platform.AlertBrowser, c store.Call) error {
	snap, err := o.Platform.Alert(ctx, platform.Scope{Integration: c.Integration}, c.Alert.Key)
	var rec platform.AlertRecord
	if err == nil {
		rec, err = browser.GetAlert(ctx, snap.ID)
	}
	if integration.KindOf(err) == integration.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	u := &store.CallUpdate{Alert: store.CallAlert{ID: rec.ID, URL: rec.URL, Title: rec.Title}, Fields: rec.Fields}
	for i, l := range rec.Log {
		u.Story = append(u.Story, store.StoryLine{Command: -int64(i + 1), At: l.At, Actor: l.Actor, Text: l.Message})
	}
	for _, a := range rec.Attachments {
		u.Recordings = append(u.Recordings, store.Recording{Media: a.Media, Label: a.Label, At: a.At})
	}
	// A call may still be going on, and its commits come first.
	for range maxConflicts {
		version := int64(0)
		switch sess, serr := o.Store.Session(ctx, c.Integration, c.Key); integration.KindOf(serr) {
		case "":
			version = sess.Version
		case integration.KindNotFound: // it has expired
		default:
			return serr
		}
		_, err = o.Store.Commit(ctx, store.Commit{Integration: c.Integration, Key: c.Key, Version: version, Call: u, Now: c.UpdatedAt})
		if integration.KindOf(err) != integration.KindConflict {
			return err
		}
	}
	return err
}

// maxConflicts is how often a call is tried whose session changes at the same time.
const maxConflicts = 10

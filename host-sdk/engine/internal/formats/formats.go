package formats

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/cache"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	formatsEvery = 10 * time.Second // how often the hosts' formats are compared
	formatsRetry = time.Second      // after a look that failed
)

// Config says what plugins and hosts there are.
type Config struct {
	Store    store.Store
	Known    *known.Known
	Plugins  func() []string // ids of those that are installed
	Clock    clock.Clock
	Log      *slog.Logger
	Hosts    func() ([]store.Host, time.Time) // see the engine's Config
	RollBack time.Duration                    // see the engine's Config
	// Beside does work that nobody waits for.
	Beside func(ctx context.Context, work func(ctx context.Context))
}

// Formats chooses what plugins write. Use New.
type Formats struct {
	cfg     Config
	known   *known.Known
	chosen  cache.Cache[string, integration.Formats] // that plugins write, by plugin id
	own     cache.Cache[string, formatsSince]        // that plugins read, by plugin id
	refused refusals
}

// New returns formats of which none is chosen yet.
func New(cfg Config) *Formats { return &Formats{cfg: cfg, known: cfg.Known} }

// combine applies f to the fields of two sets of formats.
func combine(a, b integration.Formats, f func(a, b int) int) integration.Formats {
	return integration.Formats{State: f(a.State, b.State), Task: f(a.Task, b.Task), Path: f(a.Path, b.Path), Options: f(a.Options, b.Options)}
}

// lowest is the older of two formats, field by field.
func lowest(a, b integration.Formats) integration.Formats {
	return combine(a, b, func(a, b int) int { return min(a, b) })
}

// before returns formats that the release before one that writes f reads for certain: one less than
// f in each field, but not 0. It may read f as well, as not every release has new ones. A plugin
// that cannot write formats that old writes the oldest that it can.
func before(f integration.Formats) integration.Formats {
	return combine(f, integration.Formats{}, func(a, _ int) int { return max(a-1, min(a, 1)) })
}

// Write are the formats in which a plugin is to write; own are those that it describes.
// Until the first look at the other hosts they are those of the release before.
func (f *Formats) Write(pluginID string, own integration.Formats) integration.Formats {
	chosen, ok := f.chosen.Get(pluginID)
	if !ok {
		return before(own)
	}
	return lowest(chosen.Value, own)
}

// Watch keeps choosing the formats that plugins write, until ctx ends.
func (f *Formats) Watch(ctx context.Context) error {
	f.loadRefusals(ctx)
	failed := false
	for {
		wait := formatsEvery
		if err := f.Choose(ctx); err != nil {
			wait = formatsRetry
			if !failed && ctx.Err() == nil {
				f.cfg.Log.Warn("cannot compare the formats that hosts read; plugins write as before, will retry", "error", err)
			}
			failed = true
		} else {
			failed = false
		}
		f.clearRefusals(ctx)
		if err := clock.Sleep(ctx, f.cfg.Clock, wait); err != nil {
			return err
		}
	}
}

// Choose chooses for each plugin the newest formats that everybody reads. What was chosen is
// kept in the store: a host that is restarted goes on with it.
func (f *Formats) Choose(ctx context.Context) error {
	for _, id := range f.cfg.Plugins() {
		// Asked at each look: a plugin that was taken back is not to get what it cannot read.
		desc, err := f.known.Describe(ctx, id, formatsEvery)
		if err != nil {
			return err
		}
		hosts, now := f.hosts(id, desc)
		if len(hosts) == 0 {
			return integration.Errorf(integration.KindUnavailable, "it is not known yet which hosts run")
		}
		last, kept, err := f.last(ctx, id, desc.Formats)
		if err != nil {
			return err
		}
		chosen := f.next(last, desc.Formats, id, hosts, now)
		// The first choice is kept too: of a new store it says that nothing older has to be
		// written.
		if chosen != last || !kept {
			text, err := json.Marshal(chosen)
			if err == nil {
				err = f.cfg.Store.SetSetting(ctx, formatsSetting(id), string(text))
			}
			if err != nil {
				return err
			}
		}
		if was := f.Write(id, desc.Formats); was != lowest(chosen, desc.Formats) {
			f.cfg.Log.Info("formats that are written", "plugin", id, "version", desc.Version, "formats", fmt.Sprintf("%+v", lowest(chosen, desc.Formats)), "before", fmt.Sprintf("%+v", was))
		}
		f.chosen.Put(id, chosen, f.cfg.Clock.Now())
	}
	return nil
}

// hosts lists the hosts that share the store, with the formats of a plugin. One that knows of no
// others is alone, and has had its plugin's formats since they changed.
func (f *Formats) hosts(pluginID string, desc integration.Description) ([]store.Host, time.Time) {
	if f.cfg.Hosts != nil {
		return f.cfg.Hosts()
	}
	now := f.cfg.Clock.Now()
	since := f.own.PutIf(pluginID, formatsSince{desc.Formats, now}, now, func(old formatsSince) bool { return old.formats != desc.Formats })
	return []store.Host{{Plugins: map[string]string{pluginID: desc.Version}, Formats: map[string]integration.Formats{pluginID: desc.Formats}, FormatsSince: since.at}}, now
}

// formatsSince says since when a plugin has had its formats.
type formatsSince struct {
	formats integration.Formats
	at      time.Time
}

// formatsSetting names the setting of the store that holds the formats chosen last, as JSON.
func formatsSetting(pluginID string) string { return "write_formats/" + pluginID }

// last are those chosen last, by whichever host. Where none were, they are those of the
// release before, whose program had no such setting; in a store without integrations there is
// nothing that an older release could have to read. kept says whether the store has them.
func (f *Formats) last(ctx context.Context, pluginID string, own integration.Formats) (last integration.Formats, kept bool, err error) {
	text, err := f.cfg.Store.Setting(ctx, formatsSetting(pluginID))
	if err == nil {
		return last, true, json.Unmarshal([]byte(text), &last)
	}
	if integration.KindOf(err) != integration.KindNotFound {
		return last, false, err
	}
	all, err := f.cfg.Store.ListIntegrations(ctx)
	if err != nil || len(all) > 0 {
		return before(own), false, err
	}
	return own, false, nil
}

// next follows from the formats chosen last and those that the hosts read: the oldest of
// these counts at once, and newer ones than the last once every host has read them for a while. A
// host that does not say what it reads is of the release before.
func (f *Formats) next(last, own integration.Formats, pluginID string, hosts []store.Host, now time.Time) integration.Formats {
	all, settled := own, true
	for _, h := range hosts {
		if h.Plugins[pluginID] == "" {
			continue // it serves no call of this plugin
		}
		reads, says := h.Formats[pluginID]
		if !says {
			reads = before(own)
		}
		all = lowest(all, reads)
		settled = settled && now.Sub(h.FormatsSince) >= f.cfg.RollBack
	}
	if settled {
		return all
	}
	return lowest(all, last)
}

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	formatsEvery = 10 * time.Second // how often the hosts' formats are compared
	formatsRetry = time.Second      // after a look that failed
	// How old what a plugin says of its formats may be when something is refused for them.
	describeAgain = time.Second
	refusedSaid   = time.Minute      // how often a finding says that something newer was refused
	refusedOver   = 10 * time.Minute // since the last refusal, after which the finding is cleared
)

// FindingNewerFormat is the code of the finding that the host raises when its plugin is older than
// the one that wrote a call's state or task.
const FindingNewerFormat = "host-newer-format"

// codeNewerFormat marks the error for what only a newer version of the plugin can read.
const codeNewerFormat = "newer_format"

// combine applies f to the fields of two sets of formats.
func combine(a, b integration.Formats, f func(a, b int) int) integration.Formats {
	return integration.Formats{State: f(a.State, b.State), Task: f(a.Task, b.Task), Path: f(a.Path, b.Path), Options: f(a.Options, b.Options)}
}

// lowest is the older of two formats, field by field.
func lowest(a, b integration.Formats) integration.Formats {
	return combine(a, b, func(a, b int) int { return min(a, b) })
}

// before returns formats that the release before one that writes f reads for certain: one less than
// f in each field. It may read f as well, as not every release has new ones. A plugin that cannot
// write formats that old writes the oldest that it can.
func before(f integration.Formats) integration.Formats {
	return combine(f, integration.Formats{}, func(a, _ int) int { return max(a-1, min(a, 1)) })
}

// writeFormats are the formats in which a plugin is to write; own are those that it describes.
// Until the first look at the other hosts they are those of the release before.
func (e *Engine) writeFormats(pluginID string, own integration.Formats) integration.Formats {
	chosen, ok := e.known.formats.get(pluginID)
	if !ok {
		return before(own)
	}
	return lowest(chosen.value, own)
}

// watchFormats keeps choosing the formats that plugins write, until ctx ends.
func (e *Engine) watchFormats(ctx context.Context) error {
	e.loadRefusals(ctx)
	failed := false
	for {
		wait := formatsEvery
		if err := e.chooseFormats(ctx); err != nil {
			wait = formatsRetry
			if !failed && ctx.Err() == nil {
				e.log.Warn("cannot compare the formats that hosts read; plugins write as before, will retry", "error", err)
			}
			failed = true
		} else {
			failed = false
		}
		e.clearRefusals(ctx)
		if err := clock.Sleep(ctx, e.clock, wait); err != nil {
			return err
		}
	}
}

// chooseFormats chooses for each plugin the newest formats that everybody reads. What was chosen is
// kept in the store: a host that is restarted goes on with it.
func (e *Engine) chooseFormats(ctx context.Context) error {
	for _, id := range e.plugins.PluginIDs() {
		// Asked at each look: a plugin that was taken back is not to get what it cannot read.
		desc, err := e.describe(ctx, id, formatsEvery)
		if err != nil {
			return err
		}
		hosts, now := e.hosts(id, desc)
		if len(hosts) == 0 {
			return integration.Errorf(integration.KindUnavailable, "it is not known yet which hosts run")
		}
		last, kept, err := e.lastFormats(ctx, id, desc.Formats)
		if err != nil {
			return err
		}
		chosen := e.nextFormats(last, desc.Formats, id, hosts, now)
		// The first choice is kept too: of a new store it says that nothing older has to be
		// written.
		if chosen != last || !kept {
			text, err := json.Marshal(chosen)
			if err == nil {
				err = e.store.SetSetting(ctx, formatsSetting(id), string(text))
			}
			if err != nil {
				return err
			}
		}
		if was := e.writeFormats(id, desc.Formats); was != lowest(chosen, desc.Formats) {
			e.log.Info("formats that are written", "plugin", id, "version", desc.Version, "formats", fmt.Sprintf("%+v", lowest(chosen, desc.Formats)), "before", fmt.Sprintf("%+v", was))
		}
		e.known.formats.put(id, chosen, e.clock.Now())
	}
	return nil
}

// hosts lists the hosts that share the store, with the formats of a plugin. One that knows of no
// others is alone, and has had its plugin's formats since they changed.
func (e *Engine) hosts(pluginID string, desc integration.Description) ([]store.Host, time.Time) {
	if e.cfg.Hosts != nil {
		return e.cfg.Hosts()
	}
	now := e.clock.Now()
	since := e.known.ownFormats.putIf(pluginID, formatsSince{desc.Formats, now}, now, func(old formatsSince) bool { return old.formats != desc.Formats })
	return []store.Host{{Plugins: map[string]string{pluginID: desc.Version}, Formats: map[string]integration.Formats{pluginID: desc.Formats}, FormatsSince: since.at}}, now
}

// formatsSince says since when a plugin has had its formats.
type formatsSince struct {
	formats integration.Formats
	at      time.Time
}

// formatsSetting names the setting of the store that holds the formats chosen last, as JSON.
func formatsSetting(pluginID string) string { return "write_formats/" + pluginID }

// lastFormats are those chosen last, by whichever host. Where none were, they are those of the
// release before, whose program had no such setting; in a store without integrations there is
// nothing that an older release could have to read. kept says whether the store has them.
func (e *Engine) lastFormats(ctx context.Context, pluginID string, own integration.Formats) (last integration.Formats, kept bool, err error) {
	text, err := e.store.Setting(ctx, formatsSetting(pluginID))
	if err == nil {
		return last, true, json.Unmarshal([]byte(text), &last)
	}
	if integration.KindOf(err) != integration.KindNotFound {
		return last, false, err
	}
	all, err := e.store.ListIntegrations(ctx)
	if err != nil || len(all) > 0 {
		return before(own), false, err
	}
	return own, false, nil
}

// nextFormats follows from the formats chosen last and those that the hosts read: the oldest of
// these counts at once, and newer ones than the last once every host has read them for a while. A
// host that does not say what it reads is of the release before.
func (e *Engine) nextFormats(last, own integration.Formats, pluginID string, hosts []store.Host, now time.Time) integration.Formats {
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
		settled = settled && now.Sub(h.FormatsSince) >= e.cfg.RollBack
	}
	if settled {
		return all
	}
	return lowest(all, last)
}

// readable is nil if the plugin reads the session's state and the task, if there is one. What only
// a newer version reads is never handed to the plugin, which would damage the call: it waits for a
// host that has that version. Of the integration's own session only the task is looked at here:
// actions check its state themselves.
func (e *Engine) readable(ctx context.Context, l loaded, key string, task *integration.Task) error {
	state, payload := 0, 0
	if l.session != nil && key != integration.IntegrationSessionKey {
		state = l.session.Format
	}
	if task != nil {
		payload = task.Format
	}
	newer := func(f integration.Formats) bool {
		return f.State > 0 && state > f.State || f.Task > 0 && payload > f.Task
	}
	desc, err := e.description(ctx, l.integration.Plugin)
	if err != nil || !newer(desc.Formats) {
		return nil //nolint:nilerr // whoever cannot say what it reads is asked to read it
	}
	// The plugin may have been replaced since it was asked.
	if desc, err = e.describe(ctx, l.integration.Plugin, describeAgain); err != nil || !newer(desc.Formats) {
		return nil //nolint:nilerr // see above
	}
	what, has, reads := "the state", state, desc.Formats.State
	if state <= reads {
		what, has, reads = "a task", payload, desc.Formats.Task
	}
	text := fmt.Sprintf("%s of call %s has format %d, and %s %s reads up to %d", what, key, has, desc.ID, desc.Version, reads)
	e.refuses(ctx, l.integration.ID, text)
	return &integration.Error{Kind: integration.KindUnavailable, Code: codeNewerFormat, Message: text}
}

// refusals says of each integration when something newer was refused last, and when that was said.
type refusals struct {
	mu         sync.Mutex
	last, said map[string]time.Time
}

// refused notes a refusal; true: it is to be said.
func (r *refusals) refused(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last, r.said = map[string]time.Time{}, map[string]time.Time{}
	}
	r.last[id] = now
	if said, ok := r.said[id]; ok && now.Sub(said) < refusedSaid {
		return false
	}
	r.said[id] = now
	return true
}

// over lists the integrations of which nothing has been refused for a while, and forgets them.
func (r *refusals) over(now time.Time) (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, last := range r.last {
		if now.Sub(last) >= refusedOver {
			ids = append(ids, id)
			delete(r.last, id)
			delete(r.said, id)
		}
	}
	return ids
}

// refuses raises the finding, beside the request: nobody waits for it.
func (e *Engine) refuses(ctx context.Context, id, text string) {
	now := e.clock.Now()
	if !e.refused.refused(id, now) {
		return
	}
	e.beside(ctx, func(ctx context.Context) {
		e.find(ctx, id, integration.Finding{
			Code: FindingNewerFormat, Severity: integration.FindingError, At: now,
			Message: "A host has an older version of the plugin than the one that served its calls: " + text + ". Callers of such calls hear that they should hold until " +
				"a host with the newer version takes them. Install the newer version on all hosts, or wait until these calls are over.",
		})
	})
}

// loadRefusals takes over what an earlier process has said: it is cleared like our own.
func (e *Engine) loadRefusals(ctx context.Context) {
	list, err := e.store.ListIntegrations(ctx)
	for _, in := range list {
		findings, ferr := e.store.Findings(ctx, in.ID)
		for _, f := range findings {
			if f.Code == FindingNewerFormat {
				e.refused.refused(in.ID, f.At)
			}
		}
		if err == nil {
			err = ferr
		}
	}
	if err != nil && ctx.Err() == nil {
		e.log.Warn("cannot read findings; what is over may stay among them", "error", err)
	}
}

// clearRefusals clears the findings of which nothing has been seen for a while. Another host may
// still have a reason, and then says so again.
func (e *Engine) clearRefusals(ctx context.Context) {
	for _, id := range e.refused.over(e.clock.Now()) {
		e.find(ctx, id, integration.Finding{Code: FindingNewerFormat, Severity: integration.FindingClear, At: e.clock.Now()})
	}
}

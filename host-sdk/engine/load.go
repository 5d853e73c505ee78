package engine

import (
	"context"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// guardedFor is how long an address of a call's own medium is valid: as long as a person needs to
// listen to a message that is played to them. Each request gets new ones, so a call never holds one
// that has run out.
const guardedFor = 10 * time.Minute

// loaded is what every call of a plugin begins with.
type loaded struct {
	integration store.Integration
	plugin      integration.Integration
	session     *store.Session // nil: there is none yet
	// assumed says that nobody has asked the store whether there is a session: the commit of a
	// first one fails if there is, and where none is committed somebody has to ask.
	assumed bool
	alert   snapshots.Reading //  of the session's alert; its snapshot is among the facts
	facts   integration.Facts
	// knowsPlatform says that the capabilities among the facts are the platform's, and not none for
	// want of an answer.
	knowsPlatform bool
}

// loading says what load is to do differently from a look at the store.
type loading struct {
	instance store.Integration  // looked up already; without an id: load looks it up
	alert    *snapshots.Reading // read already; nil: the last known one
	task     *integration.Task  // that the plugin is to read as well; nil: none
	// Today's options and destinations, however old the session is; so it is for the integration's
	// own session.
	current bool
	// The session's lock is held, and until it is released no other handler of this process
	// commits.
	locked bool
	// The request is one that begins a session, as far as anybody can tell: see [loaded.assumed].
	begins bool
}

// load finds the integration, its plugin and the session of key ("" names none), and gathers the
// facts for them. Errors are KindNotFound for an unknown integration, KindUnavailable for a plugin
// that is not installed, a store that does not answer, or what only a newer version of the plugin
// can read. A session that does not exist is no error.
func (e *Engine) load(ctx context.Context, id, key string, how loading) (loaded, error) {
	var l loaded
	if how.instance.ID != "" {
		l.integration = how.instance
	} else {
		in, err := e.known.Integration(ctx, id)
		if err != nil {
			return l, err
		}
		l.integration = in
	}
	var ok bool
	if l.plugin, ok = e.plugins.Plugin(l.integration.Plugin); !ok {
		return l, integration.Errorf(integration.KindUnavailable, "plugin %q is not installed", l.integration.Plugin)
	}
	of := sessions.Ref{Integration: id, Key: key}
	l.assumed = how.begins && key != "" && e.sessions.Unknown(of)
	if key != "" && !l.assumed {
		switch s, err := e.sessions.Read(ctx, of, how.locked); {
		case err == nil:
			l.session = &s
		case integration.KindOf(err) != integration.KindNotFound:
			return l, err
		}
	}
	var err error
	l.facts, err = e.facts(ctx, l.integration, key, l.session, how)
	if l.session != nil && l.session.AlertKey != "" {
		// What was read before the session was may have been overtaken meanwhile.
		if how.alert != nil && !how.alert.Overtaken(snapshots.MemoryOf(l.session)) {
			l.alert = *how.alert
		} else {
			l.alert = e.alerts.Of(ctx, id, l.session)
		}
		l.facts.Alert = l.alert.Snap
	}
	l.knowsPlatform = e.known.KnowsCapabilities(id)
	if err == nil {
		err = e.formats.Readable(ctx, l.integration, key, l.session, how.task)
	}
	return l, err
}

// facts gathers what a handler may know. sess is nil when there is no session yet.
func (e *Engine) facts(ctx context.Context, in store.Integration, key string, sess *store.Session, how loading) (integration.Facts, error) {
	f := integration.Facts{Now: e.clock.Now(), SessionKey: key}
	revision := in.Revision
	if sess != nil {
		s := sess.Session
		f.Session = &s
		// A running call keeps the options it began with: a menu that changes between two requests
		// would connect callers with the wrong team.
		if !how.current && key != integration.IntegrationSessionKey && sess.Revision != 0 {
			revision = sess.Revision
		}
		f.MediaURLs = e.guardedURLs(ctx, sess.Media, f.Now)
		f.SeenAt, f.HearingSince = e.presence.Last(sessions.Ref{Integration: in.ID, Key: key}, sess.SeenAt), e.presence.Hearing(f.Now)
	}
	options, format, revision, err := e.known.Options(ctx, in, revision)
	if err != nil {
		return f, err
	}
	if f.Instance, err = e.known.Instance(ctx, in, options, format, revision); err != nil {
		return f, err
	}
	// Only a new call can be turned away; the calls that are there are served to their end.
	if sess == nil && key != "" && key != integration.IntegrationSessionKey && f.Instance.State == integration.HostActive && e.crowded(ctx, in.ID) {
		f.Instance.State = integration.HostRateLimited
	}
	// One whose formats are not known is to write the oldest that it can.
	f.WriteFormats = integration.Formats{State: 1, Task: 1, Path: 1, Options: 1}
	if desc, err := e.known.Description(ctx, in.Plugin); err == nil {
		f.WriteFormats = e.formats.Write(in.Plugin, desc.Formats)
	}
	f.Destinations = e.known.Destinations(ctx, in, sess == nil || how.current || key == integration.IntegrationSessionKey)
	list, known := e.known.Findings(ctx, in.ID)
	f.Findings, f.FindingsUnknown = list, !known
	return f, nil
}

// unprovenSpare is how many sessions are passed over when live calls are counted: calls that nobody
// has confirmed, which may be made up and must not keep real callers out, and those that have ended
// and only have something to tell people.
const unprovenSpare = 200

// crowded reports whether an integration has as many live calls as it may have. While the store
// cannot say, it has not.
func (e *Engine) crowded(ctx context.Context, id string) bool {
	if e.cfg.LiveCalls <= 0 {
		return false
	}
	live, err := e.store.ListSessions(ctx, store.SessionFilter{Integration: id, LiveOnly: true, CallsOnly: true, Limit: e.cfg.LiveCalls + unprovenSpare})
	if err != nil {
		e.log.Warn("cannot count live calls; one more is served", "integration", id, "error", err)
		return false
	}
	live = slices.DeleteFunc(live, func(s store.Session) bool { return s.Call != nil && (s.Call.Unproven || s.Call.Ended != "") })
	return len(live) >= e.cfg.LiveCalls
}

// guardedURLs are addresses of a session's media, made anew for each request. A medium that was
// deleted has none, so that the plugin can say so instead of having nothing played.
func (e *Engine) guardedURLs(ctx context.Context, refs []string, now time.Time) map[string]string {
	if len(refs) == 0 || e.cfg.GuardedMediaURL == nil {
		return nil
	}
	urls := make(map[string]string, len(refs))
	for _, ref := range refs {
		if _, err := e.store.MediumInfo(ctx, ref); integration.KindOf(err) == integration.KindNotFound {
			continue
		}
		urls[ref] = e.cfg.GuardedMediaURL(ref, now.Add(guardedFor))
	}
	return urls
}

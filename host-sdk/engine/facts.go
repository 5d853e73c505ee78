package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	configTTL       = time.Second      // how long another process' save may go unnoticed
	capabilitiesTTL = 30 * time.Second // how long a platform's changed capabilities may go unnoticed
	destinationsTTL = 5 * time.Second  // the menu of a new call is at most this old
	platformTimeout = 2 * time.Second  // one question to the platform, while a caller waits
)

// config reads an instance, from memory if it is fresh. When the store fails, the last known copy serves: a call must
// not be lost for it.
func (e *Engine) config(ctx context.Context, id string) (store.Integration, error) {
	now := e.clock.Now()
	if in, ok := e.configs.get(id, now); ok {
		return in, nil
	}
	in, err := e.store.Integration(ctx, id)
	switch {
	case err == nil:
		e.configs.put(id, in, now)
	case integration.KindOf(err) == integration.KindNotFound:
		e.configs.forget(id)
	default:
		if old, ok := e.configs.stale(id); ok {
			e.log.Warn("integration could not be read; the last known copy serves", "integration", id, "error", err)
			return old, nil
		}
	}
	return in, err
}

// instance turns a stored integration into what a handler sees, with the options document given.
func (e *Engine) instance(ctx context.Context, in store.Integration, options []byte, format int, revision int64) (integration.Instance, error) {
	inst := integration.Instance{
		ID: in.ID, Name: in.Name, Revision: revision, SavedAt: in.UpdatedAt, Options: options, OptionsFormat: format,
		EndpointURL: e.cfg.EndpointURL(in.ID), TokenKey: in.TokenKey, Urgency: in.Urgency, State: integration.HostActive,
		Capabilities: e.capabilities(ctx, in.ID),
	}
	switch {
	case !in.Enabled:
		inst.State = integration.HostDisabled
	case in.Maintenance:
		inst.State = integration.HostMaintenance
	}
	var err error
	inst.MediaURLs, inst.MediaSlices, err = e.media(ctx, options)
	return inst, err
}

// pinnedOptions is the document of the session's revision with today's secrets.
func (e *Engine) pinnedOptions(ctx context.Context, in store.Integration, revision int64) ([]byte, int, int64, error) {
	if revision == 0 || revision == in.Revision {
		return in.Options, in.OptionsFormat, in.Revision, nil
	}
	key := pinKey{in.ID, revision, in.Revision}
	if p, ok := e.configs.pinned(key); ok {
		return p.options, p.format, revision, nil
	}
	options, format, err := e.store.IntegrationOptions(ctx, in.ID, revision)
	if err != nil {
		// The pinned document is gone; today's serves the caller better than none.
		e.log.Warn("pinned options could not be read; today's serve", "integration", in.ID, "revision", revision, "error", err)
		return in.Options, in.OptionsFormat, in.Revision, nil
	}
	if options, err = form.Overlay(options, in.Options, in.SecretFields); err != nil {
		return nil, 0, 0, err
	}
	e.configs.pin(key, pinnedOptions{options, format})
	return options, format, revision, nil
}

// capabilities asks the platform now and then, and falls back to the last answer.
func (e *Engine) capabilities(ctx context.Context, id string) integration.Capabilities {
	now := e.clock.Now()
	caps, fresh := e.configs.capabilities(id, now)
	if fresh {
		return caps
	}
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	asked, err := e.platform.Capabilities(ctx, e.scope(id))
	if err != nil {
		e.log.Warn("platform did not say what it can do; the last known answer serves", "integration", id, "error", err)
		asked = caps
	}
	e.configs.putCapabilities(id, asked, now)
	return asked
}

// media finds the media references in an options document and says where each is served, whole and in slices.
func (e *Engine) media(ctx context.Context, options []byte) (urls map[string]string, slices map[string][]string, err error) {
	var doc map[string]any
	if len(options) == 0 || !strings.Contains(string(options), "media:") || json.Unmarshal(options, &doc) != nil {
		return nil, nil, nil //nolint:nilerr // what is no object has no media; validation says so
	}
	urls = map[string]string{}
	for _, v := range doc {
		ref, ok := v.(string)
		if !ok || !strings.HasPrefix(ref, "media:") {
			continue
		}
		m, err := e.store.MediumInfo(ctx, ref)
		switch {
		case err == nil && m.Public:
			urls[ref] = e.cfg.MediaURL(m)
			if e.cfg.MediaSlices == nil {
				continue
			}
			if pieces := e.cfg.MediaSlices(m); len(pieces) > 0 {
				if slices == nil {
					slices = map[string][]string{}
				}
				slices[ref] = pieces
			}
		case err != nil && integration.KindOf(err) != integration.KindNotFound:
			return nil, nil, err
		}
	}
	return urls, slices, nil
}

// destinations resolves the instance's destinations. A call that is under way is never made to wait for the platform:
// with refresh false any copy will do.
func (e *Engine) destinations(ctx context.Context, in store.Integration, refresh bool) []integration.Destination {
	now := e.clock.Now()
	known, at, ok := e.dests.get(in)
	if ok && (!refresh || now.Sub(at) < destinationsTTL) {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	list, err := e.platform.Destinations(ctx, e.scope(in.ID), in.Destinations)
	if err != nil {
		e.log.Warn("destinations could not be read; the last known ones serve", "integration", in.ID, "error", err)
		return known
	}
	e.dests.put(in, list, now)
	return list
}

// facts gathers what the handler may know. sess is nil when there is no session yet.
func (e *Engine) facts(ctx context.Context, in store.Integration, key string, sess *store.Session, snapshot *integration.AlertSnapshot) (integration.Facts, error) {
	f := integration.Facts{Now: e.clock.Now(), SessionKey: key}
	revision := int64(0)
	if sess != nil {
		s := sess.Session
		f.Session, revision = &s, sess.Revision
	}
	options, format, revision, err := e.pinnedOptions(ctx, in, revision)
	if err != nil {
		return f, err
	}
	if f.Instance, err = e.instance(ctx, in, options, format, revision); err != nil {
		return f, err
	}
	f.Destinations = e.destinations(ctx, in, sess == nil)
	f.Findings = e.findings(ctx, in.ID)
	f.Alert = snapshot
	if snapshot == nil && sess != nil && sess.AlertKey != "" {
		f.Alert = e.knownSnapshot(ctx, in.ID, sess)
	}
	return f, nil
}

// answer answers one question. It does not fail: an answer may hold an error.
func (e *Engine) answer(ctx context.Context, in store.Integration, key string, q integration.Question, now time.Time) integration.Answer {
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	a := integration.Answer{ID: q.ID}
	at := q.At
	if at.IsZero() {
		at = now
	}
	var err error
	switch q.Kind {
	case integration.AskRoute:
		var v integration.RouteVerdict
		if v, err = e.platform.Route(ctx, e.scope(in.ID), q.Router, q.Facts, at); err == nil {
			a.Route = &v
		}
	case integration.AskOnCall:
		if a.OnCall, err = e.platform.OnCall(ctx, e.scope(in.ID), q.Team, q.Layer, at); err == nil {
			a.OnCall = slices.Clone(a.OnCall)
			var occupied map[string]string
			if occupied, err = e.store.Occupied(ctx, in.ID, key); err == nil {
				for i := range a.OnCall {
					a.OnCall[i].User.OccupiedBy = occupied[a.OnCall[i].User.ID]
				}
			}
		}
	case integration.AskUser:
		var u integration.User
		if u, err = e.platform.User(ctx, e.scope(in.ID), q.User); err == nil {
			var occupied map[string]string
			if occupied, err = e.store.Occupied(ctx, in.ID, key); err == nil {
				u.OccupiedBy = occupied[u.ID]
				a.User = &u
			}
		}
	default:
		err = integration.Errorf(integration.KindUnsupported, "this host cannot answer a question of kind %q", q.Kind)
	}
	if err != nil {
		a = integration.Answer{ID: q.ID, Err: asError(ctx, err)}
	}
	return a
}

// asError makes any error one that may cross the contract.
func asError(ctx context.Context, err error) *integration.Error {
	var e *integration.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return &integration.Error{Kind: integration.KindDeadline, Message: "no answer in time", Err: err}
	default:
		return &integration.Error{Kind: integration.KindInternal, Message: "internal error; see the host's log", Err: err}
	}
}

// findings of an instance, read at most once a second. Without them a handler warns once more than it need.
func (e *Engine) findings(ctx context.Context, id string) []integration.Finding {
	now := e.clock.Now()
	c := &e.configs
	c.mu.Lock()
	got, ok := c.findings[id]
	c.mu.Unlock()
	if ok && now.Sub(got.at) < configTTL {
		return slices.Clone(got.list)
	}
	list, err := e.store.Findings(ctx, id)
	if err != nil {
		e.log.Warn("findings could not be read", "integration", id, "error", err)
		return slices.Clone(got.list)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.findings == nil {
		c.findings = map[string]cachedFindings{}
	}
	c.findings[id] = cachedFindings{list, now}
	return slices.Clone(list)
}

type cachedFindings struct {
	list []integration.Finding
	at   time.Time
}

// forgetFindings makes the next handler see what was just written.
func (c *configCache) forgetFindings(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.findings, id)
}

// configCache remembers instances, pinned documents and capabilities.
type configCache struct {
	mu     sync.Mutex
	byID   map[string]cachedConfig
	pins   map[pinKey]pinnedOptions
	caps   map[string]cachedCapabilities
	descs  map[string]integration.Description
	descAt map[string]time.Time

	findings map[string]cachedFindings
}

type cachedConfig struct {
	in store.Integration
	at time.Time
}

type cachedCapabilities struct {
	caps integration.Capabilities
	at   time.Time
}

type pinKey struct {
	id               string
	revision, newest int64 // newest: secrets come from there
}

type pinnedOptions struct {
	options []byte
	format  int
}

func (c *configCache) get(id string, now time.Time) (store.Integration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.byID[id]
	return got.in, ok && now.Sub(got.at) < configTTL
}

func (c *configCache) stale(id string) (store.Integration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.byID[id]
	return got.in, ok
}

func (c *configCache) put(id string, in store.Integration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[string]cachedConfig{}
	}
	c.byID[id] = cachedConfig{in, now}
}

func (c *configCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byID, id)
}

func (c *configCache) pinned(k pinKey) (pinnedOptions, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.pins[k]
	return p, ok
}

func (c *configCache) pin(k pinKey, p pinnedOptions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pins == nil || len(c.pins) >= 256 { // old revisions in use at once are few; start over rather than grow
		c.pins = map[pinKey]pinnedOptions{}
	}
	c.pins[k] = p
}

func (c *configCache) capabilities(id string, now time.Time) (integration.Capabilities, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.caps[id]
	return got.caps, ok && now.Sub(got.at) < capabilitiesTTL
}

func (c *configCache) putCapabilities(id string, caps integration.Capabilities, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.caps == nil {
		c.caps = map[string]cachedCapabilities{}
	}
	c.caps[id] = cachedCapabilities{caps, now}
}

// destinationCache keeps the last known good destinations of each instance.
type destinationCache struct {
	mu sync.Mutex
	m  map[string]cachedDestinations
}

type cachedDestinations struct {
	list     []integration.Destination
	at       time.Time
	revision int64
}

func (c *destinationCache) get(in store.Integration) ([]integration.Destination, time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.m[in.ID]
	return slices.Clone(got.list), got.at, ok && got.revision == in.Revision
}

func (c *destinationCache) put(in store.Integration, list []integration.Destination, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string]cachedDestinations{}
	}
	c.m[in.ID] = cachedDestinations{slices.Clone(list), now, in.Revision}
}
